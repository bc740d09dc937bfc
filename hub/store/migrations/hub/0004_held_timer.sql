-- A timer that broke off: set aside until its next try, and shown to a person.

CREATE TABLE held_timer (
    name     TEXT PRIMARY KEY,     -- `watch:…`, `expiry`, `waits` or `poll:…`
    id       TEXT NOT NULL UNIQUE, -- what a person calls it by
    failures BIGINT NOT NULL,      -- in a row
    since    TEXT NOT NULL,
    retry_at TEXT NOT NULL,
    note     TEXT NOT NULL
);
