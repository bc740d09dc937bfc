-- What providers of rewards say they sold, and where that is not what the hub's calls bought.

CREATE TABLE reward_order (
    connection TEXT NOT NULL,
    order_id   TEXT NOT NULL,     -- the provider's own
    call_id    TEXT NOT NULL,     -- the call under whose key it was made; empty where it has no key of a hub
    state      TEXT NOT NULL,     -- waiting, sent, failed or cancelled
    amount     BIGINT,            -- what it is worth, in minor units; NULL where the provider does not say
    currency   TEXT NOT NULL,
    total      BIGINT,            -- what it cost, its fees among it, in minor units of paid_in
    fees       BIGINT,
    refunded   BIGINT NOT NULL,
    paid_in    TEXT NOT NULL,
    ordered_at TEXT NOT NULL,
    seen_at    TEXT NOT NULL,     -- when it stood so
    PRIMARY KEY (connection, order_id)
) $clustered;
CREATE INDEX reward_order_made ON reward_order (connection, ordered_at);
CREATE INDEX reward_order_call ON reward_order (call_id) WHERE call_id <> '';
CREATE INDEX reward_order_waiting ON reward_order (connection, ordered_at) WHERE state = 'waiting';

CREATE TABLE spend_difference (
    id         TEXT PRIMARY KEY,
    connection TEXT NOT NULL,
    kind       TEXT NOT NULL,     -- not_ours, unknown_call, twice, unknown_order, amount, failed, not_sent or unnoticed
    call_id    TEXT NOT NULL,     -- empty where it is about no call
    order_id   TEXT NOT NULL,     -- empty where the provider knows of no order
    ours       BIGINT,            -- what the call was to buy for, in minor units
    ours_in    TEXT NOT NULL,
    theirs     BIGINT,            -- what the order is worth, in minor units
    theirs_in  TEXT NOT NULL,
    points     BIGINT NOT NULL,   -- that stay redeemed for nothing
    found_at   TEXT NOT NULL,
    settled_at TEXT,
    settled_by TEXT NOT NULL,     -- who settled it; empty where it is no longer so
    note       TEXT NOT NULL
);
CREATE UNIQUE INDEX spend_difference_open ON spend_difference (connection, kind, call_id, order_id) WHERE settled_at IS NULL;
CREATE INDEX spend_difference_by_hand ON spend_difference (connection, id) WHERE settled_by <> '';
CREATE INDEX spend_difference_settled ON spend_difference (settled_at) WHERE settled_at IS NOT NULL;

-- What actions came to, by when: so that those that spend are found among all others.
CREATE INDEX call_ended ON call (connection, name, changed_at, id) WHERE kind = 'action' AND state > 1;
