-- needed_deliveries --
-- Those of these deliveries that a person may still want to read again: unreadable, parked, or with a run that is held.
SELECT delivery_id FROM receipt WHERE state = 'unreadable' AND delivery_id IN :ids
UNION SELECT delivery_id FROM event WHERE state > 1 AND state = 2 AND delivery_id IN :ids
UNION SELECT event.delivery_id FROM run JOIN event ON event.id = run.event_id
WHERE run.state = 3 AND event.delivery_id IN :ids;

-- forget_receipts --
-- What was noted of deliveries up to here that came to nothing.
DELETE FROM receipt WHERE state = 'ignored' AND seq <= :seq;

-- forget_answers --
-- What was answered to commands up to this one.
DELETE FROM answer WHERE command_id <= :last_id;
