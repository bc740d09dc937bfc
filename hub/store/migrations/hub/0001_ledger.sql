-- The ledger. What is posted (txn, entry, lot, allocation, link, block, block_head, block_txn) is never changed;
-- balance, lot_left, hold and budget are projections that can be rebuilt from it.

CREATE TABLE txn (
    id TEXT NOT NULL PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    payload $bytes NOT NULL,
    kind TEXT NOT NULL,
    member_id TEXT,
    points BIGINT NOT NULL CHECK (points >= 0),
    effective_at TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    follows TEXT,
    until TEXT,
    event_id TEXT,
    recipe TEXT,
    version TEXT,
    run_id TEXT,
    step TEXT,
    context TEXT,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL
);
CREATE INDEX txn_follows ON txn (follows) WHERE follows IS NOT NULL;
CREATE INDEX txn_event ON txn (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX txn_memberless ON txn (id) WHERE member_id IS NULL;
$append_only_txn

CREATE TABLE entry (
    txn_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    member_id TEXT,
    account TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount <> 0),
    balance_after BIGINT,
    PRIMARY KEY (txn_id, n)
) $clustered;
$append_only_entry

CREATE TABLE lot (
    id TEXT NOT NULL PRIMARY KEY,
    txn_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    points BIGINT NOT NULL CHECK (points > 0),
    expires_at TEXT,
    effective_at TEXT NOT NULL
) $clustered;
$append_only_lot

CREATE TABLE allocation (
    txn_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    lot_id TEXT NOT NULL,
    points BIGINT NOT NULL CHECK (points <> 0),
    PRIMARY KEY (txn_id, n)
) $clustered;
$append_only_allocation

CREATE TABLE link (
    member_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    txn_id TEXT NOT NULL,
    hash $bytes NOT NULL,
    PRIMARY KEY (member_id, seq)
) $clustered;
$append_only_link

CREATE TABLE block (
    seq BIGINT NOT NULL PRIMARY KEY,
    sealed_at TEXT NOT NULL,
    last_txn_id TEXT NOT NULL,
    hash $bytes NOT NULL
);
$append_only_block

CREATE TABLE block_head (
    block BIGINT NOT NULL,
    member_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (block, member_id)
) $clustered;
$append_only_block_head

CREATE TABLE block_txn (
    block BIGINT NOT NULL,
    txn_id TEXT NOT NULL UNIQUE,
    PRIMARY KEY (block, txn_id)
) $clustered;
$append_only_block_txn

CREATE TABLE balance (
    member_id TEXT NOT NULL PRIMARY KEY,
    available BIGINT NOT NULL CHECK (available >= 0),
    pending BIGINT NOT NULL CHECK (pending >= 0),
    held BIGINT NOT NULL CHECK (held >= 0),
    debt BIGINT NOT NULL CHECK (debt >= 0),
    seq BIGINT NOT NULL,
    head $bytes NOT NULL
) $clustered;

CREATE TABLE lot_left (
    member_id TEXT NOT NULL,
    lot_id TEXT NOT NULL,
    expires_at TEXT,
    effective_at TEXT NOT NULL,
    points BIGINT NOT NULL CHECK (points >= 0),
    PRIMARY KEY (member_id, lot_id)
) $clustered;
CREATE INDEX lot_left_due ON lot_left (expires_at) WHERE points > 0 AND expires_at IS NOT NULL;

CREATE TABLE hold (
    id TEXT NOT NULL PRIMARY KEY,
    txn_id TEXT NOT NULL,
    member_id TEXT NOT NULL,
    points BIGINT NOT NULL CHECK (points > 0),
    until TEXT,
    resolved_by TEXT
) $clustered;
CREATE INDEX hold_due ON hold (until) WHERE resolved_by IS NULL AND until IS NOT NULL;

CREATE TABLE budget (
    campaign TEXT NOT NULL PRIMARY KEY,
    points BIGINT NOT NULL CHECK (points >= 0)
) $clustered;
