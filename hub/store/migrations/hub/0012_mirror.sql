-- What the platforms' own fields show of members, and what comparing them has found.

CREATE TABLE mirror (
    connection  TEXT NOT NULL,
    member_id   TEXT NOT NULL,
    state       BIGINT NOT NULL,   -- 0 not looked at, 1 the platform knows the member, 2 it does not
    version     BIGINT NOT NULL,   -- grows with each change of the member
    settled     BIGINT NOT NULL,   -- the version that the platform shows; while it is less, there is something to do
    busy        BIGINT NOT NULL,   -- 1 while a call about it is open
    call_id     TEXT NOT NULL,     -- that call, or one that is held; else empty
    platform_id TEXT,              -- the platform's own id of the member
    written     TEXT NOT NULL,     -- what the fields say, as far as we know; empty when we do not
    doubted     BIGINT NOT NULL,   -- 1 when a write was refused and the platform is asked again whether it knows the member
    drifted     TEXT NOT NULL,     -- the comparison that found it changed, until that is repaired; else empty
    seen_at     TEXT,
    written_at  TEXT,
    changed_at  TEXT NOT NULL,
    PRIMARY KEY (connection, member_id)
) $clustered;
CREATE INDEX mirror_due ON mirror (connection, changed_at, member_id) WHERE version > settled AND busy = 0;
CREATE INDEX mirror_busy ON mirror (connection, member_id, busy) WHERE busy = 1;

CREATE TABLE mirror_comparison (
    id          TEXT PRIMARY KEY,
    connection  TEXT NOT NULL,
    terms       TEXT NOT NULL,     -- which fields showed what
    started_at  TEXT NOT NULL,
    finished_at TEXT,
    after       TEXT NOT NULL,     -- the last member that was compared
    compared    BIGINT NOT NULL,
    differing   BIGINT NOT NULL,
    repaired    BIGINT NOT NULL,
    unknown     BIGINT NOT NULL,
    failing     BIGINT NOT NULL,
    note        TEXT NOT NULL
);
CREATE INDEX mirror_comparison_newest ON mirror_comparison (connection, id);

CREATE TABLE mirror_drift (
    comparison_id TEXT NOT NULL,
    connection    TEXT NOT NULL,
    member_id     TEXT NOT NULL,
    field         TEXT NOT NULL,
    ours          TEXT NOT NULL,
    theirs        TEXT NOT NULL,
    found_at      TEXT NOT NULL,
    repaired_at   TEXT,
    PRIMARY KEY (comparison_id, member_id, field)
);
CREATE INDEX mirror_drift_age ON mirror_drift (connection, found_at);
