-- What retention has removed: so many deliveries, from one id to another. Ids sort by their time.

CREATE TABLE removal (
    first_id   TEXT NOT NULL,
    last_id    TEXT NOT NULL,
    removed_at TEXT NOT NULL,
    number     BIGINT NOT NULL,
    PRIMARY KEY (last_id, first_id)
);
