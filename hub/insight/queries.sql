-- transaction --
-- Whose a transaction is, and what caused it.
SELECT id, member_id, event_id FROM txn WHERE id = :id;

-- transactions_of_event --
-- What the ledger did because of an event.
SELECT id, member_id FROM txn WHERE event_id = :event_id ORDER BY id;

-- keys --
-- The keys under which these transactions were posted.
SELECT id, key FROM txn WHERE id IN :ids;

-- events --
-- These events.
SELECT id, connection, kind, key, fact, lane, member_id, state, occurred_at, recorded_at, delivery_id, cause_id, data, note
FROM event WHERE id IN :ids;

-- events_called --
-- The events that have this id or key, came in this delivery, or are about this thing.
SELECT id, connection, kind, key, fact, lane, member_id, state, occurred_at, recorded_at, delivery_id, cause_id, data, note
FROM event
WHERE id = :what OR key = :what OR id IN (SELECT event_id FROM event_reference WHERE ref_id = :what)
ORDER BY id LIMIT :most;

-- events_of_delivery --
-- The events that a delivery brought.
SELECT id, connection, kind, key, fact, lane, member_id, state, occurred_at, recorded_at, delivery_id, cause_id, data, note
FROM event WHERE delivery_id = :delivery_id ORDER BY id LIMIT :most;

-- run --
-- One run.
SELECT id, event_id FROM run WHERE id = :id;

-- runs_of_event --
-- The runs that an event started, oldest first.
SELECT id, event_id, recipe, version, member_id, lane, depth, state, position, journal, wake_at, awaits, seen, note,
       started_at, changed_at
FROM run WHERE event_id = :event_id ORDER BY id;

-- calls_of_runs --
-- What these runs have asked of platforms and is not done.
SELECT run_id, connection, name, state, attempts, due_at, note FROM call WHERE run_id IN :run_ids AND state <> 2 ORDER BY id;

-- open_fetches --
-- Thin notices whose rest has not been fetched, newest first.
SELECT id, connection, name, input, state, attempts, due_at, note FROM call
WHERE kind = 'fetch' AND state IN (0, 1, 3) ORDER BY id DESC LIMIT :most;

-- parked_lane --
-- Why a lane stands still.
SELECT lane, event_id, note, parked_at FROM parked_lane WHERE lane = :lane;

-- recipe --
-- The text of a recipe as it was.
SELECT source, path FROM recipe_version WHERE recipe = :recipe AND version = :version;

-- receipts --
-- The deliveries that did not simply become events, newest first.
SELECT delivery_id, connection, state, note, at FROM receipt ORDER BY seq DESC LIMIT :most;

-- receipt --
-- What became of a delivery.
SELECT delivery_id, connection, state, note, at FROM receipt WHERE delivery_id = :delivery_id;

-- member --
-- A member, with the balances.
SELECT member.id, first_name, last_name, tier, COALESCE(balance.available, 0) AS available,
       COALESCE(balance.pending, 0) AS pending, COALESCE(balance.held, 0) AS held, COALESCE(balance.debt, 0) AS debt
FROM member LEFT JOIN balance ON balance.member_id = member.id WHERE member.id = :id;
