-- What every sale looks up lies in the order of its key: among millions of members that is one page of each table, and not one of
-- an index and one of the table. Nobody without a birthday stands in the index of birthdays, which each sale had to write again.

ALTER TABLE member RENAME TO member_before;
CREATE TABLE member (
    id TEXT NOT NULL PRIMARY KEY,
    joined_at TEXT NOT NULL,
    joined_on TEXT NOT NULL,
    joined_month_day TEXT NOT NULL,
    first_name TEXT,
    last_name TEXT,
    email TEXT,
    phone TEXT,
    birthday TEXT,
    birthday_month_day TEXT,
    language TEXT,
    tier TEXT,
    tags TEXT NOT NULL,
    attributes TEXT NOT NULL,
    last_activity_at TEXT,
    lifetime_points BIGINT NOT NULL,
    purchases BIGINT NOT NULL DEFAULT 0,
    spent BIGINT NOT NULL DEFAULT 0,   -- minor units of the programme's currency
    referred_by TEXT
) $clustered;
INSERT INTO member SELECT * FROM member_before ORDER BY id;
DROP TABLE member_before;
CREATE INDEX member_by_birthday ON member (birthday_month_day) WHERE birthday_month_day IS NOT NULL;
CREATE INDEX member_by_joining_day ON member (joined_month_day);
CREATE INDEX member_by_last_activity ON member (last_activity_at);

ALTER TABLE identity RENAME TO identity_before;
CREATE TABLE identity (
    identity TEXT NOT NULL PRIMARY KEY,
    member_id TEXT NOT NULL,
    added_at TEXT NOT NULL
) $clustered;
INSERT INTO identity SELECT * FROM identity_before ORDER BY identity;
DROP TABLE identity_before;
CREATE INDEX identity_by_member ON identity (member_id);

ALTER TABLE consent RENAME TO consent_before;
CREATE TABLE consent (
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    own TEXT,
    own_source TEXT NOT NULL,
    own_at TEXT NOT NULL,
    noted TEXT,
    noted_at TEXT NOT NULL,
    PRIMARY KEY (address, channel)
) $clustered;
INSERT INTO consent SELECT * FROM consent_before ORDER BY address, channel;
DROP TABLE consent_before;

ALTER TABLE event_reference RENAME TO event_reference_before;
CREATE TABLE event_reference (
    connection TEXT NOT NULL,
    kind       TEXT NOT NULL,
    ref_id     TEXT NOT NULL,
    event_id   TEXT NOT NULL,
    PRIMARY KEY (ref_id, kind, connection, event_id)
) $clustered;
INSERT INTO event_reference SELECT * FROM event_reference_before ORDER BY ref_id, kind, connection, event_id;
DROP TABLE event_reference_before;

-- What other platforms told of a member is found without fetching what the same till told: each lies on a page of its own.
DROP INDEX event_member;
CREATE INDEX event_member ON event (member_id, id, connection) WHERE member_id IS NOT NULL;
