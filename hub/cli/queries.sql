-- recent_events --
-- The newest events in these states, of one connection and one member where they are given.
SELECT id, connection, kind, key, fact, member_id, state, occurred_at, recorded_at, note
FROM event
WHERE state IN :states AND (:connection = '' OR connection = :connection) AND (:member_id = '' OR member_id = :member_id)
ORDER BY id DESC LIMIT :most;

-- events_called --
-- The events that have this id or key, or are about this thing.
SELECT id, connection, kind, key, fact, member_id, state, occurred_at, recorded_at, delivery_id, cause_id, depth, data, note
FROM event
WHERE id = :what OR key = :what OR id IN (SELECT event_id FROM event_reference WHERE ref_id = :what)
ORDER BY id DESC LIMIT :most;

-- recent_runs --
-- The newest runs in these states, of one recipe where it is given.
SELECT id, event_id, recipe, version, member_id, state, position, journal, wake_at, awaits, note, started_at, changed_at
FROM run
WHERE state IN :states AND (:recipe = '' OR recipe = :recipe)
ORDER BY id DESC LIMIT :most;

-- run_of --
-- One run.
SELECT id, event_id, recipe, version, member_id, state, position, journal, wake_at, awaits, note, started_at, changed_at
FROM run WHERE id = :id;

-- runs_of_event --
-- The runs that an event started.
SELECT id, event_id, recipe, version, member_id, state, position, journal, wake_at, awaits, note, started_at, changed_at
FROM run WHERE event_id = :event_id ORDER BY id;

-- calls_of_run --
-- What a run asked of platforms.
SELECT id, connection, name, state, attempts, due_at, note, created_at, changed_at FROM call WHERE run_id = :run_id ORDER BY id;

-- postings_of_event --
-- What the ledger did because of an event.
SELECT id, kind, member_id, points, effective_at, recipe, reason FROM txn WHERE event_id = :event_id ORDER BY id;

-- open_tasks --
-- The questions that wait for a person's answer, oldest first.
SELECT id, run_id, member_id, question, choices, otherwise, due_at, created_at
FROM staff_task WHERE answered_at IS NULL ORDER BY id LIMIT :most;

-- recent_members --
-- The members who joined last.
SELECT member.id, first_name, last_name, email, phone, tier, joined_at, last_activity_at, lifetime_points,
       COALESCE(balance.available, 0) AS available, COALESCE(balance.pending, 0) AS pending, COALESCE(balance.debt, 0) AS debt
FROM member LEFT JOIN balance ON balance.member_id = member.id
ORDER BY member.id DESC LIMIT :most;

-- members_called --
-- The members who have this id or identity, a phone number that ends so, or a name like this.
SELECT member.id, first_name, last_name, email, phone, birthday, language, tier, tags, attributes, joined_at, last_activity_at,
       lifetime_points,
       COALESCE(balance.available, 0) AS available, COALESCE(balance.pending, 0) AS pending, COALESCE(balance.debt, 0) AS debt
FROM member LEFT JOIN balance ON balance.member_id = member.id
WHERE member.id = :who OR member.id IN (SELECT member_id FROM identity WHERE identity IN :identities)
   OR phone LIKE :phone OR LOWER(COALESCE(first_name, '') || ' ' || COALESCE(last_name, '')) LIKE :name
ORDER BY member.id LIMIT :most;

-- last_changes_of --
-- What changed last about a member.
SELECT field, old_value, new_value, cause, at FROM member_change WHERE member_id = :member_id ORDER BY seq DESC LIMIT :most;

-- identities_of --
-- Everything that finds a member.
SELECT identity, added_at FROM identity WHERE member_id = :member_id ORDER BY identity;

-- heard_by_connection --
-- When each connection was heard of last, and how many events it has brought.
SELECT connection, COUNT(*) AS events, MAX(recorded_at) AS last_at FROM event GROUP BY connection;
