-- What the owner is told, and in which hours connections spoke.

CREATE TABLE alert (
    id          TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,     -- held_run, parked_lane, needs_reconnecting, silent …
    subject     TEXT NOT NULL,     -- the connection; empty for what is counted over all
    opened_at   TEXT NOT NULL,
    number      BIGINT NOT NULL,   -- how many there are
    newest_at   TEXT,              -- since when the newest of them is there; of a silence: since when nothing was heard
    text        TEXT NOT NULL,
    told_at     TEXT,              -- when the owner was told last
    told_number BIGINT NOT NULL,   -- of how many
    closed_at   TEXT,              -- when it was over
    settled     BIGINT NOT NULL    -- 1 when it is over and nothing is left to tell
);
CREATE UNIQUE INDEX alert_occurrence ON alert (kind, subject, opened_at);
CREATE UNIQUE INDEX alert_standing ON alert (kind, subject) WHERE closed_at IS NULL;
CREATE INDEX alert_unsettled ON alert (settled, id) WHERE settled = 0;

CREATE TABLE alert_message (
    call_id    TEXT PRIMARY KEY,
    connection TEXT NOT NULL,
    sent_at    TEXT NOT NULL,
    is_test    BIGINT NOT NULL,
    text       TEXT NOT NULL
);
CREATE INDEX alert_message_sent ON alert_message (sent_at);

CREATE TABLE heard_hour (
    connection TEXT NOT NULL,
    slot       BIGINT NOT NULL,    -- the hour's place in three weeks; so no connection has more than 504 rows
    hour       TEXT NOT NULL,
    PRIMARY KEY (connection, slot)
);
