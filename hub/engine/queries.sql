-- events_by_key --
-- The events that have one of these keys, whatever their connection and trigger.
SELECT id, connection, kind, key, fact, lane, member_id, state, occurred_at, recorded_at, told_at,
       delivery_id, cause_id, depth, data, note
FROM event WHERE key IN :keys;

-- events_by_id --
-- These events.
SELECT id, connection, kind, key, fact, lane, member_id, state, occurred_at, recorded_at, told_at,
       delivery_id, cause_id, depth, data, note
FROM event WHERE id IN :ids;

-- lanes_ready --
-- The lanes of the oldest events that can be worked, after one of them: ready, and in a lane that is not parked.
SELECT id, lane FROM event
WHERE state = 0 AND id > :after AND NOT EXISTS (SELECT 1 FROM parked_lane WHERE parked_lane.lane = event.lane)
ORDER BY id LIMIT :most;

-- events_ready --
-- The oldest events of these lanes that can be worked.
SELECT id, connection, kind, key, fact, lane, member_id, state, occurred_at, recorded_at, told_at,
       delivery_id, cause_id, depth, data, note
FROM event
WHERE state = 0 AND lane IN :lanes AND NOT EXISTS (SELECT 1 FROM parked_lane WHERE parked_lane.lane = event.lane)
ORDER BY id LIMIT :most;

-- newest_event --
-- The event that was recorded last.
SELECT id FROM event ORDER BY id DESC LIMIT 1;

-- state_of_work --
-- How far the inbox has been admitted, and the oldest event that can be worked.
SELECT (SELECT value FROM cursor WHERE name = 'inbox') AS place,
       (SELECT id FROM event WHERE state = 0
        AND NOT EXISTS (SELECT 1 FROM parked_lane WHERE parked_lane.lane = event.lane) ORDER BY id LIMIT 1) AS ready;

-- save_event --
-- Keep an event, or its new state.
INSERT INTO event (id, connection, kind, key, fact, lane, member_id, state, occurred_at, recorded_at, told_at, delivery_id,
                   cause_id, depth, data, note)
VALUES (:id, :connection, :kind, :key, :fact, :lane, :member_id, :state, :occurred_at, :recorded_at, :told_at, :delivery_id,
        :cause_id, :depth, :data, :note)
ON CONFLICT (id) DO UPDATE SET lane = excluded.lane, member_id = excluded.member_id, state = excluded.state,
    occurred_at = excluded.occurred_at, told_at = excluded.told_at, data = excluded.data, note = excluded.note;

-- settle_event --
-- An event has come to this state, and nothing else of it is new.
UPDATE event SET state = :state, note = :note WHERE id = :id;

-- references_to --
-- The events that are about one of these things.
SELECT connection, kind, ref_id, event_id FROM event_reference WHERE ref_id IN :ref_ids;

-- add_reference --
-- An event is about a thing.
INSERT INTO event_reference (connection, kind, ref_id, event_id) VALUES (:connection, :kind, :ref_id, :event_id)
ON CONFLICT DO NOTHING;

-- awaiting_references --
-- The events that wait for a fact about one of these things.
SELECT connection, kind, ref_id, event_id FROM awaited_reference WHERE ref_id IN :ref_ids;

-- add_awaited_reference --
-- An event waits for a fact about a thing.
INSERT INTO awaited_reference (connection, kind, ref_id, event_id) VALUES (:connection, :kind, :ref_id, :event_id)
ON CONFLICT DO NOTHING;

-- drop_awaited_references --
-- An event waits no longer.
DELETE FROM awaited_reference WHERE event_id = :event_id;

-- returns_of --
-- What has been given back of these sales so far.
SELECT event_id, returned FROM sale_return WHERE event_id IN :event_ids;

-- save_return --
-- The sum that has been given back of a sale.
INSERT INTO sale_return (event_id, returned) VALUES (:event_id, :returned)
ON CONFLICT (event_id) DO UPDATE SET returned = excluded.returned;

-- runs_by_id --
-- These runs.
SELECT id, event_id, recipe, version, member_id, lane, depth, state, position, journal, wake_at, awaits, seen, note,
       started_at, changed_at
FROM run WHERE id IN :ids;

-- awarding_runs --
-- The runs of these sales that may have given points.
SELECT id, event_id FROM run WHERE event_id IN :event_ids AND seen <> '' ORDER BY id;

-- runs_awaiting --
-- The runs of these members that wait for a fact.
SELECT id, event_id, recipe, version, member_id, lane, depth, state, position, journal, wake_at, awaits, seen, note,
       started_at, changed_at
FROM run WHERE awaits IS NOT NULL AND member_id IN :member_ids ORDER BY id;

-- runs_to_wake --
-- The runs whose time has come, earliest first.
SELECT id, event_id, recipe, version, member_id, lane, depth, state, position, journal, wake_at, awaits, seen, note,
       started_at, changed_at
FROM run WHERE wake_at IS NOT NULL AND wake_at <= :now ORDER BY wake_at, id LIMIT :most;

-- next_wake --
-- When the next waiting run wants to go on.
SELECT wake_at FROM run WHERE wake_at IS NOT NULL ORDER BY wake_at LIMIT 1;

-- save_run --
-- Keep a run, or how far it has come.
INSERT INTO run (id, event_id, recipe, version, member_id, lane, depth, state, position, journal, wake_at, awaits, seen, note,
                 started_at, changed_at)
VALUES (:id, :event_id, :recipe, :version, :member_id, :lane, :depth, :state, :position, :journal, :wake_at, :awaits, :seen, :note,
        :started_at, :changed_at)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, position = excluded.position, journal = excluded.journal,
    wake_at = excluded.wake_at, awaits = excluded.awaits, note = excluded.note, changed_at = excluded.changed_at;

-- calls_by_id --
-- These calls.
SELECT id, kind, connection, name, run_id, step, event_id, member_id, lane, input, state, attempts, due_at, result, note,
       created_at, changed_at
FROM call WHERE id IN :ids;

-- members_after --
-- The next members, in the order of their ids.
SELECT id FROM member WHERE id > :after ORDER BY id LIMIT :most;

-- calls_about --
-- What the recipes that ran for a member asked of platforms, the newest first.
SELECT call.id, call.kind, call.connection, call.name, call.run_id, call.step, call.event_id, call.member_id, call.lane, call.input,
       call.state, call.attempts, call.due_at, call.result, call.note, call.created_at, call.changed_at
FROM event JOIN run ON run.event_id = event.id JOIN call ON call.run_id = run.id
WHERE event.member_id = :member_id AND call.kind = 'action'
ORDER BY call.id DESC LIMIT :most;

-- calls_due --
-- The calls of a connection whose time has come, earliest first.
SELECT id, kind, connection, name, run_id, step, event_id, member_id, lane, input, state, attempts, due_at, result, note,
       created_at, changed_at
FROM call WHERE state = 0 AND connection = :connection AND due_at <= :now ORDER BY due_at, id LIMIT :most;

-- calls_begun --
-- The calls of these connections that somebody began and has not reported of.
SELECT id, kind, connection, name, run_id, step, event_id, member_id, lane, input, state, attempts, due_at, result, note,
       created_at, changed_at
FROM call WHERE state = 1 AND connection IN :connections ORDER BY id;

-- next_calls --
-- When the next call of each connection is due: by a step from connection to connection, however many calls each has.
WITH RECURSIVE called (connection) AS (
    SELECT MIN(connection) FROM call WHERE state = 0
    UNION ALL
    SELECT (SELECT MIN(call.connection) FROM call WHERE call.state = 0 AND call.connection > called.connection)
    FROM called WHERE called.connection IS NOT NULL
)
SELECT connection,
       (SELECT MIN(call.due_at) FROM call WHERE call.state = 0 AND call.connection = called.connection) AS due_at
FROM called WHERE connection IS NOT NULL;

-- connections_called --
-- The connections that open calls are for, also those that are in hub.yaml no longer.
SELECT connection FROM call WHERE state = 0 UNION SELECT connection FROM call WHERE state = 1;

-- see_worker --
-- A worker is there.
INSERT INTO worker (id, seen_at) VALUES (:id, :seen_at) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at;

-- forget_workers --
-- A worker has ended, and so have those that were not seen since.
DELETE FROM worker WHERE id = :id OR seen_at < :since;

-- workers_seen --
-- How many workers there are that were seen since, and when one was seen last.
SELECT COUNT(CASE WHEN seen_at >= :since THEN 1 END) AS number, MAX(seen_at) AS seen_at FROM worker;

-- oldest_ready --
-- Since when the lane waits that has waited longest, of those that are not parked.
SELECT recorded_at FROM event
WHERE state = 0 AND NOT EXISTS (SELECT 1 FROM parked_lane WHERE parked_lane.lane = event.lane) ORDER BY id LIMIT 1;

-- save_call --
-- Keep a call, or what became of it.
INSERT INTO call (id, kind, connection, name, run_id, step, event_id, member_id, lane, input, state, attempts, due_at, result,
                  note, created_at, changed_at)
VALUES (:id, :kind, :connection, :name, :run_id, :step, :event_id, :member_id, :lane, :input, :state, :attempts, :due_at,
        :result, :note, :created_at, :changed_at)
ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, due_at = excluded.due_at,
    result = excluded.result, note = excluded.note, changed_at = excluded.changed_at;

-- add_trace --
-- Why these recipes did nothing about an event.
INSERT INTO trace (event_id, why) VALUES (:event_id, :why)
ON CONFLICT (event_id) DO UPDATE SET why = excluded.why;

-- trace --
-- Why recipes did nothing about an event.
SELECT why FROM trace WHERE event_id = :event_id;

-- reasons --
-- These reasons.
SELECT id, recipe, version, around FROM reason WHERE id IN :ids;

-- add_reason --
-- Why a version of a recipe does nothing, for all events of which that is true.
INSERT INTO reason (id, recipe, version, around) VALUES (:id, :recipe, :version, :around) ON CONFLICT DO NOTHING;

-- once_keys --
-- Which of these keys a recipe has used up.
SELECT recipe, key, event_id FROM once_per WHERE key IN :keys;

-- add_once_key --
-- A recipe has done its work for this key.
INSERT INTO once_per (recipe, key, event_id) VALUES (:recipe, :key, :event_id);

-- parked_lanes --
-- Those of these lanes in which nothing is worked until a person has looked.
SELECT lane, event_id, note, parked_at FROM parked_lane WHERE lane IN :lanes;

-- park_lane --
-- Work nothing more in this lane.
INSERT INTO parked_lane (lane, event_id, note, parked_at) VALUES (:lane, :event_id, :note, :parked_at)
ON CONFLICT (lane) DO NOTHING;

-- free_lane --
-- The lane goes on.
DELETE FROM parked_lane WHERE lane = :lane;

-- recipe_sources --
-- The text of recipes as they were when a run began.
SELECT recipe, version, source, path FROM recipe_version WHERE recipe = :recipe AND version = :version;

-- add_recipe_version --
-- Keep the text of a recipe for the runs that are bound to it.
INSERT INTO recipe_version (recipe, version, source, path, loaded_at)
VALUES (:recipe, :version, :source, :path, :loaded_at) ON CONFLICT DO NOTHING;

-- add_task --
-- Ask a person.
INSERT INTO staff_task (id, run_id, member_id, question, choices, otherwise, due_at, answer, answered_by, created_at, answered_at)
VALUES (:id, :run_id, :member_id, :question, :choices, :otherwise, :due_at, '', '', :created_at, NULL);

-- task --
-- One task.
SELECT id, run_id, member_id, question, choices, otherwise, due_at, answer, answered_by, created_at, answered_at
FROM staff_task WHERE id = :id;

-- task_of_run --
-- The task that a run waits for.
SELECT id, run_id, member_id, question, choices, otherwise, due_at, answer, answered_by, created_at, answered_at
FROM staff_task WHERE run_id = :run_id AND answered_at IS NULL;

-- answer_task --
-- A person, or the clock, has answered.
UPDATE staff_task SET answer = :answer, answered_by = :answered_by, answered_at = :answered_at
WHERE id = :id AND answered_at IS NULL;

-- add_receipt --
-- What became of a delivery that did not simply become events.
INSERT INTO receipt (delivery_id, seq, connection, state, note, at) VALUES (:delivery_id, :seq, :connection, :state, :note, :at)
ON CONFLICT (delivery_id) DO UPDATE SET state = excluded.state, note = excluded.note, at = excluded.at;

-- drop_receipt --
-- The delivery has been read after all.
DELETE FROM receipt WHERE delivery_id = :delivery_id;

-- receipt --
-- What became of a delivery.
SELECT delivery_id, seq, connection, state, note, at FROM receipt WHERE delivery_id = :delivery_id;

-- receipts_in_state --
-- The deliveries that ended so, newest first.
SELECT delivery_id, seq, connection, state, note, at FROM receipt WHERE state = :state ORDER BY seq DESC LIMIT :most;

-- add_answer --
-- What became of a command.
INSERT INTO answer (command_id, ok, result, at) VALUES (:command_id, :ok, :result, :at)
ON CONFLICT (command_id) DO NOTHING;

-- answer --
-- What became of this command.
SELECT command_id, ok, result, at FROM answer WHERE command_id = :command_id;

-- cursors --
-- The places that these readers have come to.
SELECT name, value FROM cursor WHERE name IN :names;

-- save_cursor --
-- A reader has come to this place.
INSERT INTO cursor (name, value) VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- health_of --
-- How these connections are.
SELECT connection, state, failures, open_until, last_ok_at, last_heard_at, last_error FROM connection_health
WHERE connection IN :connections;

-- save_health --
-- How a connection is.
INSERT INTO connection_health (connection, state, failures, open_until, last_ok_at, last_heard_at, last_error)
VALUES (:connection, :state, :failures, :open_until, :last_ok_at, :last_heard_at, :last_error)
ON CONFLICT (connection) DO UPDATE SET state = excluded.state, failures = excluded.failures,
    open_until = excluded.open_until, last_ok_at = excluded.last_ok_at, last_heard_at = excluded.last_heard_at,
    last_error = excluded.last_error;

-- held_runs --
-- The runs that a person has to look at, oldest first.
SELECT id, event_id, recipe, version, member_id, lane, depth, state, position, journal, wake_at, awaits, seen, note,
       started_at, changed_at
FROM run WHERE state = 3 ORDER BY id LIMIT :most;

-- held_calls --
-- The calls that a person has to look at, oldest first, but for those that are seen with their held run.
SELECT id, kind, connection, name, run_id, step, event_id, member_id, lane, input, state, attempts, due_at, result, note,
       created_at, changed_at
FROM call WHERE state = 3 AND NOT EXISTS (SELECT 1 FROM run WHERE run.id = call.run_id AND run.state = 3)
ORDER BY id LIMIT :most;

-- parked_events --
-- The events that hold up their lane, oldest first.
SELECT id, connection, kind, key, fact, lane, member_id, state, occurred_at, recorded_at, told_at,
       delivery_id, cause_id, depth, data, note
FROM event WHERE state = 2 ORDER BY id LIMIT :most;

-- count_events --
-- How many events there are in each state but done.
SELECT state, COUNT(*) AS number FROM event WHERE state = 0 GROUP BY state
UNION ALL SELECT state, COUNT(*) AS number FROM event WHERE state > 1 GROUP BY state;

-- count_runs --
-- How many runs wait, or are held.
SELECT state, COUNT(*) AS number FROM run WHERE state = 1 GROUP BY state
UNION ALL SELECT state, COUNT(*) AS number FROM run WHERE state = 3 GROUP BY state;

-- count_calls --
-- How many calls there are, by connection, that are not finished.
SELECT connection, state, COUNT(*) AS number FROM call WHERE state = 0 GROUP BY connection, state
UNION ALL SELECT connection, state, COUNT(*) AS number FROM call WHERE state = 1 GROUP BY connection, state
UNION ALL SELECT connection, state, COUNT(*) AS number FROM call WHERE state = 3 GROUP BY connection, state;

-- all_health --
-- How every connection is.
SELECT connection, state, failures, open_until, last_ok_at, last_heard_at, last_error FROM connection_health ORDER BY connection;

-- calls_of_run --
-- The calls that a run has made, oldest first.
SELECT id, kind, connection, name, run_id, step, event_id, member_id, lane, input, state, attempts, due_at, result, note,
       created_at, changed_at
FROM call WHERE run_id = :run_id ORDER BY id;

-- held_timers --
-- The timers that broke off and are set aside until their next try, oldest first.
SELECT name, id, failures, since, retry_at, note FROM held_timer ORDER BY since, name;

-- hold_timer --
-- Set a timer aside, or aside again.
INSERT INTO held_timer (name, id, failures, since, retry_at, note) VALUES (:name, :id, :failures, :since, :retry_at, :note)
ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, retry_at = excluded.retry_at, note = excluded.note;

-- free_timer --
-- The timer works again.
DELETE FROM held_timer WHERE name = :name;

-- first_heard --
-- The first hour of late in which a connection spoke.
SELECT MIN(hour) AS hour FROM heard_hour WHERE connection = :connection;

-- add_gap --
-- Facts that a pull was the first to bring.
INSERT INTO gap (id, connection, kind, found_at, number, first_at, last_at, event_id)
VALUES (:id, :connection, :kind, :found_at, :number, :first_at, :last_at, :event_id);

-- close_gaps --
-- Asking has found nothing more that this webhook left out.
UPDATE gap SET closed_at = :closed_at WHERE connection = :connection AND kind = :kind AND closed_at IS NULL;

-- open_gaps --
-- What webhooks left out until lately, by connection and trigger.
SELECT connection, kind, SUM(number) AS number, MAX(found_at) AS found_at FROM gap WHERE closed_at IS NULL
GROUP BY connection, kind ORDER BY connection, kind;

-- gaps_since --
-- What webhooks left out, by connection and trigger, as far as it was found after a moment.
SELECT connection, kind, SUM(number) AS number, MAX(found_at) AS found_at FROM gap WHERE found_at > :moment
GROUP BY connection, kind ORDER BY connection, kind;

-- money_of_members --
-- What platforms other than one told since about money that these members spent, oldest first.
SELECT id, connection, kind, key, fact, lane, member_id, state, occurred_at, recorded_at, told_at,
       delivery_id, cause_id, depth, data, note
FROM event
WHERE member_id IN :members AND id > :since AND connection <> :except_of
    AND fact IN ('sale', 'job_completed', 'invoice_issued', 'deal_won')
ORDER BY id;
