-- members_of --
-- The members with these ids.
SELECT id, joined_at, joined_on, first_name, last_name, email, phone, birthday, language, tier, tags, attributes,
       last_activity_at, lifetime_points, purchases, spent, referred_by
FROM member
WHERE id IN :ids;

-- save_member --
-- Write a member as it stands now.
INSERT INTO member (id, joined_at, joined_on, joined_month_day, first_name, last_name, email, phone, birthday,
                    birthday_month_day, language, tier, tags, attributes, last_activity_at, lifetime_points, purchases,
                    spent, referred_by)
VALUES (:id, :joined_at, :joined_on, :joined_month_day, :first_name, :last_name, :email, :phone, :birthday,
        :birthday_month_day, :language, :tier, :tags, :attributes, :last_activity_at, :lifetime_points, :purchases,
        :spent, :referred_by)
ON CONFLICT (id) DO UPDATE SET
    first_name = excluded.first_name,
    last_name = excluded.last_name,
    email = excluded.email,
    phone = excluded.phone,
    birthday = excluded.birthday,
    birthday_month_day = excluded.birthday_month_day,
    language = excluded.language,
    tier = excluded.tier,
    tags = excluded.tags,
    attributes = excluded.attributes,
    last_activity_at = excluded.last_activity_at,
    lifetime_points = excluded.lifetime_points,
    purchases = excluded.purchases,
    spent = excluded.spent,
    referred_by = excluded.referred_by;

-- members_by_identity --
-- Whom these identities belong to.
SELECT identity, member_id FROM identity WHERE identity IN :identities;

-- identities_of --
-- Everything that finds these members.
SELECT identity, member_id, added_at FROM identity WHERE member_id IN :ids ORDER BY identity;

-- add_identity --
-- From now on this identity finds this member.
INSERT INTO identity (identity, member_id, added_at) VALUES (:identity, :member_id, :added_at);

-- add_identity_conflict --
-- A customer record named a member and, by another identity, somebody else; told once for each pair.
INSERT INTO identity_conflict (identity, member_id, owner_id, cause, at)
VALUES (:identity, :member_id, :owner_id, :cause, :at)
ON CONFLICT (identity, member_id) DO NOTHING;

-- identity_conflicts --
-- Which members may be one person, oldest first.
SELECT identity, member_id, owner_id, cause, at FROM identity_conflict ORDER BY at, identity;

-- add_member_change --
-- One field of a member has a new value.
INSERT INTO member_change (member_id, field, old_value, new_value, cause, at)
VALUES (:member_id, :field, :old_value, :new_value, :cause, :at);

-- changes_of --
-- How a member came to be as it is, oldest first.
SELECT field, old_value, new_value, cause, at FROM member_change WHERE member_id = :member_id ORDER BY seq;

-- consents_of --
-- What was said last about these addresses, on any channel.
SELECT channel, address, own, own_source, own_at, noted, noted_at FROM consent WHERE address IN :addresses;

-- save_consent --
-- Write what holds now for an address on a channel.
INSERT INTO consent (channel, address, own, own_source, own_at, noted, noted_at)
VALUES (:channel, :address, :own, :own_source, :own_at, :noted, :noted_at)
ON CONFLICT (channel, address) DO UPDATE SET
    own = excluded.own,
    own_source = excluded.own_source,
    own_at = excluded.own_at,
    noted = excluded.noted,
    noted_at = excluded.noted_at;

-- add_consent_change --
-- Somebody agreed or declined, with the evidence.
INSERT INTO consent_change (channel, address, status, source, evidence, at, recorded_at)
VALUES (:channel, :address, :status, :source, :evidence, :at, :recorded_at);

-- consent_history --
-- Everything that was said about an address on a channel, in the order in which we learned of it.
SELECT status, source, evidence, at, recorded_at FROM consent_change
WHERE channel = :channel AND address = :address ORDER BY seq;

-- pools_of --
-- What the awards of these events were made of so far.
SELECT event_id, name, terms, points FROM award_pool WHERE event_id IN :events;

-- save_pool --
-- Write what a group's awards for an event are made of now.
INSERT INTO award_pool (event_id, name, terms, points) VALUES (:event_id, :name, :terms, :points)
ON CONFLICT (event_id, name) DO UPDATE SET terms = excluded.terms, points = excluded.points;

-- born_on --
-- Members with a birthday on these days (`MM-DD`).
SELECT id, birthday FROM member WHERE birthday_month_day IN :days ORDER BY id;

-- joined_on --
-- Members who joined on these days (`MM-DD`).
SELECT id, joined_on FROM member WHERE joined_month_day IN :days ORDER BY id;

-- silent_since --
-- Members whose last activity falls into a span of time.
SELECT id, last_activity_at FROM member
WHERE last_activity_at >= :since AND last_activity_at < :until ORDER BY id;

-- awards_of --
-- What these events earned, in the order in which it was posted.
SELECT id, event_id, member_id, points, context, recipe, reason FROM txn
WHERE event_id IN :events AND kind = 'award' ORDER BY id;
