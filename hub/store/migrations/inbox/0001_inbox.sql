-- The inbox: everything that reached the hub, as it came; rows are added and never changed.

CREATE TABLE delivery (
    seq         $sequence,        -- the order in which the worker reads; never given out twice
    id          TEXT NOT NULL,
    kind        TEXT NOT NULL,    -- http, command, row or pulled
    connection  TEXT NOT NULL,    -- empty for what is not of a platform
    method      TEXT NOT NULL,
    path        TEXT NOT NULL,    -- of a command: its name
    query       TEXT NOT NULL,
    headers     TEXT NOT NULL,    -- JSON, lower-case names; what proves identity is struck out
    body        $bytes NOT NULL,
    received_at TEXT NOT NULL
);
CREATE UNIQUE INDEX delivery_id ON delivery (id);
