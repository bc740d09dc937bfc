-- add_delivery --
-- One delivery, at the end of the inbox, unless it is there: a pulled record has the same id whenever it is brought.
INSERT INTO delivery (id, kind, connection, method, path, query, headers, body, received_at)
VALUES (:id, :kind, :connection, :method, :path, :query, :headers, :body, :received_at)
ON CONFLICT (id) DO NOTHING;

-- sizes_after --
-- How large the next deliveries are, so that a read takes no more than memory should hold.
SELECT seq, length(body) AS size FROM delivery WHERE seq > :seq ORDER BY seq LIMIT :most;

-- deliveries_between --
-- The deliveries after one place in the inbox and up to another, in order.
SELECT seq, id, kind, connection, method, path, query, headers, body, received_at
FROM delivery WHERE seq > :seq AND seq <= :until ORDER BY seq;

-- deliveries_by_id --
-- These deliveries, in the order in which they came.
SELECT seq, id, kind, connection, method, path, query, headers, body, received_at
FROM delivery WHERE id IN :ids ORDER BY seq;

-- last_place --
-- How far the inbox reaches.
SELECT seq FROM delivery ORDER BY seq DESC LIMIT 1;

-- first_after --
-- When the oldest delivery came that the worker has not read.
SELECT received_at FROM delivery WHERE seq > :seq ORDER BY seq LIMIT 1;

-- count_after --
-- How many deliveries came after a place.
SELECT COUNT(*) AS number FROM delivery WHERE seq > :seq;

-- outlines --
-- When the deliveries between two places came, and how large they are.
SELECT seq, id, received_at, length(body) + length(headers) AS size
FROM delivery WHERE seq > :after AND seq <= :until ORDER BY seq LIMIT :most;

-- sum_after --
-- How large the next deliveries are together, and where they end.
SELECT MAX(seq) AS until, SUM(size) AS size
FROM (SELECT seq, length(body) + length(headers) AS size FROM delivery WHERE seq > :seq ORDER BY seq LIMIT :most) AS next;

-- remove_deliveries --
-- These deliveries are kept no longer.
DELETE FROM delivery WHERE seq IN :seqs;

-- note_removal --
-- Deliveries between these two, both included, were removed.
INSERT INTO removal (first_id, last_id, removed_at, number) VALUES (:first_id, :last_id, :removed_at, :number);

-- removal_of --
-- When a delivery was removed.
SELECT removed_at FROM removal WHERE last_id >= :id AND first_id <= :id ORDER BY last_id LIMIT 1;
