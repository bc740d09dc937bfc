-- count_events --
-- How many events there are.
SELECT COUNT(*) AS number FROM event;

-- count_deliveries --
-- How many deliveries are in the inbox.
SELECT COUNT(*) AS number FROM delivery;
