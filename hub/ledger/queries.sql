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

-- dead_points --
-- The points of these members whose time is over and which no sweep has taken yet.
SELECT member_id, SUM(points) AS points FROM lot_left
WHERE member_id IN :members AND points > 0 AND expires_at <= :now GROUP BY member_id;

-- ends_of --
-- When which points of these members expire after now, the earliest first.
SELECT member_id, expires_at, SUM(points) AS points FROM lot_left
WHERE member_id IN :members AND points > 0 AND expires_at > :now GROUP BY member_id, expires_at ORDER BY member_id, expires_at;

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
SELECT id, key, payload, kind, member_id, points, effective_at, recorded_at, follows, until, event_id, recipe, version, run_id, step,
    context, reason, actor
FROM txn WHERE key IN :keys;

-- txns_by_id --
-- These transactions.
SELECT id, key, payload, kind, member_id, points, effective_at, recorded_at, follows, until, event_id, recipe, version, run_id, step,
    context, reason, actor
FROM txn WHERE id IN :ids;

-- txns_following --
-- The transactions that correct or continue these, in the order in which they were recorded.
SELECT id, key, payload, kind, member_id, points, effective_at, recorded_at, follows, until, event_id, recipe, version, run_id, step,
    context, reason, actor
FROM txn WHERE follows IN :ids ORDER BY id;

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
ORDER BY lot_left.expires_at, lot_left.member_id, lot_left.lot_id LIMIT :most;

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
ORDER BY until, id LIMIT :most;

-- txns_after --
-- The transactions after this one, in the order in which they were recorded.
SELECT id, key, payload, kind, member_id, points, effective_at, recorded_at, follows, until, event_id, recipe, version, run_id, step,
    context, reason, actor
FROM txn WHERE id > :after ORDER BY id LIMIT :most;

-- txns_of_member --
-- What was posted for a member.
SELECT id, key, payload, kind, member_id, points, effective_at, recorded_at, follows, until, event_id, recipe, version, run_id, step,
    context, reason, actor
FROM txn WHERE id IN (SELECT txn_id FROM link WHERE member_id = :member_id);

-- memberless_txns --
-- The transactions that belong to no member.
SELECT id, key, payload, kind, member_id, points, effective_at, recorded_at, follows, until, event_id, recipe, version, run_id, step,
    context, reason, actor
FROM txn WHERE member_id IS NULL AND id > :after ORDER BY id LIMIT :most;

-- links_of --
-- A member's chain.
SELECT member_id, seq, txn_id, hash FROM link WHERE member_id = :member_id ORDER BY seq;

-- linked_members --
-- The members that have a chain, after this one.
SELECT DISTINCT member_id FROM link WHERE member_id > :after ORDER BY member_id LIMIT :most;

-- links_between --
-- The chains of some members.
SELECT member_id, seq, txn_id, hash FROM link WHERE member_id > :after AND member_id <= :until ORDER BY member_id, seq;

-- balances_between --
-- The balances of some members.
SELECT member_id, available, pending, held, debt, seq, head FROM balance WHERE member_id > :after AND member_id <= :until;

-- lots_left_between --
-- What is left in the lots of some members.
SELECT lot_id, member_id, expires_at, effective_at, points FROM lot_left WHERE member_id > :after AND member_id <= :until;

-- all_holds --
-- Every hold.
SELECT id, txn_id, member_id, points, until, resolved_by FROM hold;

-- all_budgets --
-- Every budget.
SELECT campaign, points FROM budget;

-- counts --
-- How many rows each table has.
SELECT (SELECT COUNT(*) FROM txn) AS txn, (SELECT COUNT(*) FROM entry) AS entry, (SELECT COUNT(*) FROM lot) AS lot,
    (SELECT COUNT(*) FROM allocation) AS allocation,
    (SELECT COUNT(*) FROM balance) AS balance, (SELECT COUNT(*) FROM lot_left) AS lot_left,
    (SELECT COUNT(*) FROM block_head) AS block_head, (SELECT COUNT(*) FROM block_txn) AS block_txn;

-- unlinked_txns --
-- Transactions of members that stand in no chain.
SELECT id FROM txn WHERE member_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM link WHERE link.member_id = txn.member_id AND link.txn_id = txn.id)
ORDER BY id LIMIT :most;

-- stray_entries --
-- Entries without a transaction.
SELECT DISTINCT txn_id AS id FROM entry WHERE NOT EXISTS (SELECT 1 FROM txn WHERE txn.id = entry.txn_id) ORDER BY id LIMIT :most;

-- stray_allocations --
-- Allocations without a transaction.
SELECT DISTINCT txn_id AS id FROM allocation WHERE NOT EXISTS (SELECT 1 FROM txn WHERE txn.id = allocation.txn_id)
ORDER BY id LIMIT :most;

-- stray_lots --
-- Lots that no transaction opened.
SELECT id FROM lot WHERE id <> 'lot_' || SUBSTR(txn_id, 5) OR NOT EXISTS (SELECT 1 FROM txn WHERE txn.id = lot.txn_id)
ORDER BY id LIMIT :most;

-- stray_balances --
-- Balances of members without a chain.
SELECT member_id AS id FROM balance WHERE NOT EXISTS (SELECT 1 FROM link WHERE link.member_id = balance.member_id)
ORDER BY id LIMIT :most;

-- stray_remainders --
-- Remainders of lots that were never opened for the member.
SELECT lot_id AS id FROM lot_left
WHERE NOT EXISTS (SELECT 1 FROM lot WHERE lot.id = lot_left.lot_id AND lot.member_id = lot_left.member_id)
ORDER BY id LIMIT :most;

-- last_block --
-- The newest block.
SELECT seq, sealed_at, last_txn_id, hash FROM block ORDER BY seq DESC LIMIT 1;

-- blocks --
-- Every block, in order.
SELECT seq, sealed_at, last_txn_id, hash FROM block ORDER BY seq;

-- block_heads --
-- The heads in a block, with the links that they name.
SELECT block_head.member_id, block_head.seq, link.hash
FROM block_head LEFT JOIN link ON link.member_id = block_head.member_id AND link.seq = block_head.seq
WHERE block_head.block = :block;

-- block_txns --
-- The transactions without a member in a block.
SELECT txn_id FROM block_txn WHERE block = :block;

-- txn_ids_after --
-- The ids of the transactions after this one.
SELECT id FROM txn WHERE id > :after ORDER BY id LIMIT :most;

-- heads_to_seal --
-- The newest link of each member with a transaction in this stretch, unless a block binds it.
SELECT link.member_id, link.seq, link.hash FROM link
JOIN (SELECT member_id FROM entry WHERE txn_id > :after AND txn_id <= :until AND member_id IS NOT NULL
      UNION SELECT member_id FROM txn WHERE id > :after AND id <= :until AND member_id IS NOT NULL) AS touched
    ON touched.member_id = link.member_id
WHERE link.seq = (SELECT MAX(newest.seq) FROM link AS newest WHERE newest.member_id = touched.member_id)
    AND NOT EXISTS (SELECT 1 FROM block_head WHERE block_head.member_id = link.member_id AND block_head.seq >= link.seq);

-- memberless_unsealed --
-- The transactions without a member that stand in no block; there are few of them in all.
SELECT id FROM txn WHERE member_id IS NULL AND NOT EXISTS (SELECT 1 FROM block_txn WHERE block_txn.txn_id = txn.id);

-- add_block --
-- A block.
INSERT INTO block (seq, sealed_at, last_txn_id, hash) VALUES (:seq, :sealed_at, :last_txn_id, :hash);

-- add_block_head --
-- The head of a member in a block.
INSERT INTO block_head (block, member_id, seq) VALUES (:block, :member_id, :seq);

-- add_block_txn --
-- A transaction without a member in a block.
INSERT INTO block_txn (block, txn_id) VALUES (:block, :txn_id);

-- totals --
-- The sum of every account's entries; those of all members together.
SELECT account, SUM(amount) AS amount FROM entry GROUP BY account;

-- issued_by_recipe --
-- What each recipe gave, less what was reversed.
SELECT COALESCE(first.recipe, txn.recipe) AS recipe, -SUM(entry.amount) AS points
FROM entry JOIN txn ON txn.id = entry.txn_id LEFT JOIN txn AS first ON txn.kind = 'reversal' AND first.id = txn.follows
WHERE entry.member_id IS NULL AND (entry.account = 'issuance' OR SUBSTR(entry.account, 1, 9) = 'campaign:')
    AND COALESCE(first.recipe, txn.recipe) IS NOT NULL
GROUP BY COALESCE(first.recipe, txn.recipe);
