-- note_heard --
-- A connection spoke in this hour.
INSERT INTO heard_hour (connection, slot, hour) VALUES (:connection, :slot, :hour)
ON CONFLICT (connection, slot) DO UPDATE SET hour = excluded.hour WHERE heard_hour.hour < excluded.hour;

-- last_heard --
-- The last hour in which each of these connections spoke.
SELECT connection, MAX(hour) AS hour FROM heard_hour WHERE connection IN :connections GROUP BY connection;

-- heard_of --
-- The hours in which these connections spoke.
SELECT connection, hour FROM heard_hour WHERE connection IN :connections;

-- alerts_open --
-- The alerts of which there may be something to tell: what is not over, and what is over and was told.
SELECT id, kind, subject, opened_at, number, newest_at, text, told_at, told_number, closed_at, settled
FROM alert WHERE settled = 0 ORDER BY id;

-- alerts_by_id --
-- These alerts.
SELECT id, kind, subject, opened_at, number, newest_at, text, told_at, told_number, closed_at, settled
FROM alert WHERE id IN :ids;

-- recent_alerts --
-- The newest alerts; what is the matter now comes before what is over.
SELECT id, kind, subject, opened_at, number, newest_at, text, told_at, told_number, closed_at, settled
FROM alert ORDER BY CASE WHEN closed_at IS NULL THEN 0 ELSE 1 END, id DESC LIMIT :most;

-- save_alert --
-- Keep an alert, or what became of it.
INSERT INTO alert (id, kind, subject, opened_at, number, newest_at, text, told_at, told_number, closed_at, settled)
VALUES (:id, :kind, :subject, :opened_at, :number, :newest_at, :text, :told_at, :told_number, :closed_at, :settled)
ON CONFLICT (id) DO UPDATE SET number = excluded.number, newest_at = excluded.newest_at, text = excluded.text,
    told_at = excluded.told_at, told_number = excluded.told_number, closed_at = excluded.closed_at, settled = excluded.settled;

-- add_message --
-- A message to the owner; its call makes it go out.
INSERT INTO alert_message (call_id, connection, sent_at, is_test, text) VALUES (:call_id, :connection, :sent_at, :is_test, :text);

-- last_messages --
-- The last messages to the owner, newest first, with how their calls are.
SELECT alert_message.call_id, alert_message.connection, alert_message.sent_at, alert_message.is_test,
       call.state, call.changed_at
FROM alert_message LEFT JOIN call ON call.id = alert_message.call_id
ORDER BY alert_message.sent_at DESC, alert_message.call_id DESC LIMIT :most;

-- messages_refused --
-- The messages to the owner that are held, newest last.
SELECT connection, note, changed_at AS at FROM call WHERE state = 3 AND kind = 'alert' ORDER BY id;

-- runs_held --
-- The newest of the runs that are held.
SELECT recipe AS name, note, changed_at AS at FROM run WHERE state = 3 ORDER BY id DESC LIMIT :most;

-- calls_held --
-- The newest of the held calls, but for those that are seen with their held run and for messages to the owner.
SELECT connection || '.' || name AS name, note, changed_at AS at FROM call
WHERE state = 3 AND kind <> 'alert' AND NOT EXISTS (SELECT 1 FROM run WHERE run.id = call.run_id AND run.state = 3)
ORDER BY id DESC LIMIT :most;

-- lanes_parked --
-- The newest of the events that park a lane.
SELECT event.connection || '.' || event.kind AS name, parked_lane.note, parked_lane.parked_at AS at
FROM event JOIN parked_lane ON parked_lane.event_id = event.id WHERE event.state = 2 ORDER BY event.id DESC LIMIT :most;

-- deliveries_unreadable --
-- The newest of the deliveries that could not be read.
SELECT connection AS name, note, at FROM receipt WHERE state = 'unreadable' ORDER BY seq DESC LIMIT :most;

-- count_runs_held --
-- How many runs are held.
SELECT COUNT(*) AS number FROM run WHERE state = 3;

-- count_calls_held --
-- How many calls are held, but for those of held runs and messages to the owner.
SELECT COUNT(*) AS number FROM call
WHERE state = 3 AND kind <> 'alert' AND NOT EXISTS (SELECT 1 FROM run WHERE run.id = call.run_id AND run.state = 3);

-- count_lanes_parked --
-- How many lanes are parked.
SELECT COUNT(*) AS number FROM parked_lane;

-- count_deliveries_unreadable --
-- How many deliveries could not be read.
SELECT COUNT(*) AS number FROM receipt WHERE state = 'unreadable';

-- timers_set_aside --
-- The timers that are set aside, the newest first.
SELECT name, note, since AS at FROM held_timer ORDER BY since DESC, name LIMIT :most;

-- count_timers_set_aside --
-- How many timers are set aside.
SELECT COUNT(*) AS number FROM held_timer;

-- mirrors_drifted --
-- The last comparison that ended of each of these connections, where it found more than so many members changed.
SELECT connection, differing, finished_at FROM mirror_comparison
WHERE differing > :most AND id IN (SELECT MAX(id) FROM mirror_comparison
    WHERE connection IN :connections AND finished_at IS NOT NULL GROUP BY connection)
ORDER BY connection;
