-- add_txn --
-- A transaction.
INSERT INTO txn (id, key, payload, kind, member_id, points, effective_at, recorded_at, follows, until, event_id, recipe, version,
    run_id, step, context, reason, actor)
VALUES (:id, :key, :payload, :kind, :member_id, :points, :effective_at, :recorded_at, :follows, :until, :event_id, :recipe,
    :version, :run_id, :step, :context, :reason, :actor);

-- add_entry --
-- One side of a transaction.
INSERT INTO entry (txn_id, n, member_id, account, amount, balance_after)
VALUES (:txn_id, :n, :member_id, :account, :amount, :balance_after);

-- add_lot --
-- The points of one credit.
INSERT INTO lot (id, txn_id, member_id, points, expires_at, effective_at)
VALUES (:id, :txn_id, :member_id, :points, :expires_at, :effective_at);

-- add_allocation --
-- What a transaction took from a lot or gave back to it.
INSERT INTO allocation (txn_id, n, lot_id, points) VALUES (:txn_id, :n, :lot_id, :points);

-- add_link --
-- The next link of a member's chain.
INSERT INTO link (member_id, seq, txn_id, hash) VALUES (:member_id, :seq, :txn_id, :hash);

-- save_balance --
-- The balances of a member and the head of the chain.
INSERT INTO balance (member_id, available, pending, held, debt, seq, head)
VALUES (:member_id, :available, :pending, :held, :debt, :seq, :head)
ON CONFLICT (member_id) DO UPDATE SET available = excluded.available, pending = excluded.pending, held = excluded.held,
    debt = excluded.debt, seq = excluded.seq, head = excluded.head;

-- save_left --
-- What is left in a lot.
INSERT INTO lot_left (lot_id, member_id, expires_at, effective_at, points)
VALUES (:lot_id, :member_id, :expires_at, :effective_at, :points)
ON CONFLICT (member_id, lot_id) DO UPDATE SET points = excluded.points;

-- save_hold --
-- A hold, and what resolved it.
INSERT INTO hold (id, txn_id, member_id, points, until, resolved_by)
VALUES (:id, :txn_id, :member_id, :points, :until, :resolved_by)
ON CONFLICT (id) DO UPDATE SET resolved_by = excluded.resolved_by;

-- save_budget --
-- What is left of a campaign's budget.
INSERT INTO budget (campaign, points) VALUES (:campaign, :points)
ON CONFLICT (campaign) DO UPDATE SET points = excluded.points;

-- balances --
-- The balances of these members.
SELECT member_id, available, pending, held, debt, seq, head FROM balance WHERE member_id IN :members;

-- open_lots --
-- The lots of these members that still hold points.
SELECT lot_id, member_id, expires_at, effective_at, points FROM lot_left WHERE member_id IN :members AND points > 0;

-- lots_left --
-- What is left in these lots.
SELECT lot_left.lot_id, lot_left.member_id, lot_left.expires_at, lot_left.effective_at, lot_left.points
FROM lot JOIN lot_left ON lot_left.member_id = lot.member_id AND lot_left.lot_id = lot.id
WHERE lot.id IN :ids;

-- holds --
-- These holds.
SELECT id, txn_id, member_id, points, until, resolved_by FROM hold WHERE id IN :ids;

-- budgets --
-- What is left of these campaigns' budgets.
SELECT campaign, points FROM budget WHERE campaign IN :campaigns;

-- txns_by_key --
-- The transactions that were posted under these keys.
SELECT id, key, payload, kind, member_id, points, effective_at, follows, until FROM txn WHERE key IN :keys;

-- txns_by_id --
-- These transactions.
SELECT id, key, payload, kind, member_id, points, effective_at, follows, until FROM txn WHERE id IN :ids;

-- txns_following --
-- The transactions that correct or continue these, in the order in which they were recorded.
SELECT id, key, payload, kind, member_id, points, effective_at, follows, until FROM txn WHERE follows IN :ids ORDER BY id;

-- entries_of --
-- The entries of these transactions.
SELECT txn_id, n, member_id, account, amount, balance_after FROM entry WHERE txn_id IN :ids ORDER BY txn_id, n;

-- allocations_of --
-- What these transactions took from lots and gave back.
SELECT txn_id, n, lot_id, points FROM allocation WHERE txn_id IN :ids ORDER BY txn_id, n;

-- lots_by_id --
-- These lots as they were opened.
SELECT id, txn_id, member_id, points, expires_at, effective_at FROM lot WHERE id IN :ids;

-- lots_due --
-- The lots with points left whose time is over by `until`, the earliest first.
SELECT lot_left.lot_id, lot_left.member_id, lot.points, lot_left.points AS points_left, lot_left.expires_at, lot_left.effective_at
FROM lot_left JOIN lot ON lot.id = lot_left.lot_id
WHERE lot_left.points > 0 AND lot_left.expires_at IS NOT NULL AND lot_left.expires_at <= :until
ORDER BY lot_left.expires_at LIMIT :most;

-- lots_expiring --
-- What each member has expiring after one moment and by another, by the moment.
SELECT member_id, expires_at, SUM(points) AS points FROM lot_left
WHERE points > 0 AND expires_at IS NOT NULL AND expires_at > :after AND expires_at <= :until
GROUP BY expires_at, member_id ORDER BY expires_at, member_id;

-- next_expiry --
-- When the next points expire.
SELECT expires_at FROM lot_left WHERE points > 0 AND expires_at IS NOT NULL ORDER BY expires_at LIMIT 1;

-- holds_due --
-- The open holds whose time is over by `until`, the earliest first.
SELECT id, txn_id, member_id, points, until, resolved_by FROM hold
WHERE resolved_by IS NULL AND until IS NOT NULL AND until <= :until
ORDER BY until LIMIT :most;
