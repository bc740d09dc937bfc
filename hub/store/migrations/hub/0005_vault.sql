-- The vault: secrets of connections, encrypted; each is bound to its place, so that none can be moved to another row.

CREATE TABLE secret (
    connection TEXT NOT NULL,
    name       TEXT NOT NULL,      -- of the setting; `connector` where hub.yaml does not name the connection
    key_id     TEXT NOT NULL,
    sealed     TEXT NOT NULL,
    set_at     TEXT NOT NULL,
    set_by     TEXT NOT NULL,
    PRIMARY KEY (connection, name)
);

CREATE TABLE key_in_use (
    one    BIGINT PRIMARY KEY,     -- 1: there is one row
    key_id TEXT NOT NULL,
    since  TEXT NOT NULL
);
