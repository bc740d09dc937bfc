-- What webhooks should have told and did not, found by asking.

CREATE TABLE gap (
    id         TEXT PRIMARY KEY,
    connection TEXT NOT NULL,
    kind       TEXT NOT NULL,     -- the trigger's name
    found_at   TEXT NOT NULL,
    number     BIGINT NOT NULL,   -- facts that one pull brought first
    first_at   TEXT NOT NULL,     -- when the oldest of them came about
    last_at    TEXT NOT NULL,
    event_id   TEXT NOT NULL,     -- one of them
    closed_at  TEXT               -- when asking next found nothing that webhooks had left out
);
CREATE INDEX gap_open ON gap (connection, kind) WHERE closed_at IS NULL;
CREATE INDEX gap_found ON gap (found_at, connection);
