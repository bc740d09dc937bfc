-- orders_of --
-- What is known of these orders of a provider.
SELECT connection, order_id, call_id, state, amount, currency, total, fees, refunded, paid_in, ordered_at, seen_at
FROM reward_order WHERE connection = :connection AND order_id IN :order_ids;

-- orders_made --
-- The orders that were made at a provider in a stretch of time.
SELECT connection, order_id, call_id, state, amount, currency, total, fees, refunded, paid_in, ordered_at, seen_at
FROM reward_order WHERE connection = :connection AND ordered_at >= :since AND ordered_at < :until;

-- orders_of_calls --
-- The orders at a provider that were made under the keys of these calls.
SELECT connection, order_id, call_id, state, amount, currency, total, fees, refunded, paid_in, ordered_at, seen_at
FROM reward_order WHERE call_id <> '' AND call_id IN :call_ids AND connection = :connection;

-- oldest_waiting --
-- When the oldest of a provider's orders was made of which it is not known yet what comes of it.
SELECT ordered_at FROM reward_order WHERE connection = :connection AND state = 'waiting' ORDER BY ordered_at LIMIT 1;

-- save_order --
-- What a provider says of an order now.
INSERT INTO reward_order (connection, order_id, call_id, state, amount, currency, total, fees, refunded, paid_in, ordered_at,
                          seen_at)
VALUES (:connection, :order_id, :call_id, :state, :amount, :currency, :total, :fees, :refunded, :paid_in, :ordered_at, :seen_at)
ON CONFLICT (connection, order_id) DO UPDATE SET call_id = excluded.call_id, state = excluded.state, amount = excluded.amount,
    currency = excluded.currency, total = excluded.total, fees = excluded.fees, refunded = excluded.refunded,
    paid_in = excluded.paid_in, ordered_at = excluded.ordered_at, seen_at = excluded.seen_at;

-- calls_ended --
-- What these actions of a connection came to in a stretch of time.
SELECT id, kind, connection, name, run_id, step, event_id, member_id, lane, input, state, attempts, due_at, result, note,
       created_at, changed_at
FROM call
WHERE kind = 'action' AND state > 1 AND connection = :connection AND name IN :names AND changed_at >= :since AND changed_at < :until;

-- differences_by_id --
-- These differences.
SELECT id, connection, kind, call_id, order_id, ours, ours_in, theirs, theirs_in, points, found_at, settled_at, settled_by, note
FROM spend_difference WHERE id IN :ids;

-- differences_open --
-- The differences with a provider that are not settled.
SELECT id, connection, kind, call_id, order_id, ours, ours_in, theirs, theirs_in, points, found_at, settled_at, settled_by, note
FROM spend_difference WHERE settled_at IS NULL AND connection = :connection ORDER BY id;

-- settled_by_hand --
-- The differences with a provider that a person has settled; they are not found again.
SELECT kind, call_id, order_id FROM spend_difference WHERE settled_by <> '' AND connection = :connection;

-- differences_told --
-- All differences that are not settled, and those that were settled since.
SELECT id, connection, kind, call_id, order_id, ours, ours_in, theirs, theirs_in, points, found_at, settled_at, settled_by, note
FROM spend_difference WHERE settled_at IS NULL
UNION ALL
SELECT id, connection, kind, call_id, order_id, ours, ours_in, theirs, theirs_in, points, found_at, settled_at, settled_by, note
FROM spend_difference WHERE settled_at IS NOT NULL AND settled_at >= :since AND found_at < :until
ORDER BY id;

-- count_open --
-- How many differences there are with each provider, of which kind, and when the newest of them was found.
SELECT connection, kind, COUNT(*) AS number, SUM(points) AS points, MAX(found_at) AS found_at
FROM spend_difference WHERE settled_at IS NULL GROUP BY connection, kind ORDER BY connection, kind;

-- save_difference --
-- Keep a difference, or what became of it.
INSERT INTO spend_difference (id, connection, kind, call_id, order_id, ours, ours_in, theirs, theirs_in, points, found_at,
                              settled_at, settled_by, note)
VALUES (:id, :connection, :kind, :call_id, :order_id, :ours, :ours_in, :theirs, :theirs_in, :points, :found_at, :settled_at,
        :settled_by, :note)
ON CONFLICT (id) DO UPDATE SET ours = excluded.ours, ours_in = excluded.ours_in, theirs = excluded.theirs,
    theirs_in = excluded.theirs_in, points = excluded.points, settled_at = excluded.settled_at, settled_by = excluded.settled_by,
    note = excluded.note;
