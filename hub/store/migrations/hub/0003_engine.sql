-- The engine: events, runs, calls to platforms, and what keeps their place.

CREATE TABLE event (
    id           TEXT PRIMARY KEY,
    connection   TEXT NOT NULL,
    kind         TEXT NOT NULL,    -- the trigger's name
    key          TEXT NOT NULL,    -- what makes it the same fact, however it reaches us
    fact         TEXT NOT NULL,    -- the word of the shared vocabulary
    lane         TEXT NOT NULL,    -- the member's id, or its own id
    member_id    TEXT,
    state        BIGINT NOT NULL,  -- 0 ready, 1 done, 2 parked, 3 waiting for what it refers to, 4 unclaimed
    occurred_at  TEXT NOT NULL,
    recorded_at  TEXT NOT NULL,
    told_at      TEXT,             -- the platform's own time of the state that is kept
    delivery_id  TEXT,
    cause_id     TEXT,             -- the event in whose work it arose
    depth        BIGINT NOT NULL,
    data         TEXT NOT NULL,
    note         TEXT NOT NULL     -- why it is parked, waiting or unclaimed; what differed in a later delivery
);
CREATE UNIQUE INDEX event_identity ON event (key, connection, kind);
CREATE INDEX event_ready ON event (state, id) WHERE state = 0;
CREATE INDEX event_open ON event (state, id) WHERE state > 1;
CREATE INDEX event_member ON event (member_id, id) WHERE member_id IS NOT NULL;

CREATE TABLE event_reference (
    connection TEXT NOT NULL,
    kind       TEXT NOT NULL,
    ref_id     TEXT NOT NULL,
    event_id   TEXT NOT NULL,
    PRIMARY KEY (ref_id, kind, connection, event_id)
);

CREATE TABLE awaited_reference (
    connection TEXT NOT NULL,
    kind       TEXT NOT NULL,
    ref_id     TEXT NOT NULL,
    event_id   TEXT NOT NULL,
    PRIMARY KEY (ref_id, kind, connection, event_id)
);

CREATE TABLE sale_return (
    event_id TEXT PRIMARY KEY,     -- of the sale
    returned BIGINT NOT NULL       -- minor units of the sale's currency, all refunds so far
);

CREATE TABLE run (
    id         TEXT PRIMARY KEY,
    event_id   TEXT NOT NULL,
    recipe     TEXT NOT NULL,
    version    TEXT NOT NULL,
    member_id  TEXT,
    lane       TEXT NOT NULL,
    depth      BIGINT NOT NULL,
    state      BIGINT NOT NULL,    -- 0 ready, 1 waiting, 2 done, 3 held, 4 stopped
    position   BIGINT NOT NULL,    -- the step to do next
    journal    TEXT NOT NULL,      -- what each finished step was given and gave
    wake_at    TEXT,
    awaits     TEXT,               -- the topic of the fact that wakes it
    seen       TEXT NOT NULL,      -- the member as the recipe saw them, where it gives points for a sale: for its refund
    note       TEXT NOT NULL,
    started_at TEXT NOT NULL,
    changed_at TEXT NOT NULL
);
CREATE INDEX run_event ON run (event_id);
CREATE INDEX run_timed ON run (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX run_awaiting ON run (member_id) WHERE awaits IS NOT NULL;
CREATE INDEX run_waiting ON run (state, id) WHERE state = 1;
CREATE INDEX run_held ON run (state, id) WHERE state = 3;

CREATE TABLE call (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,      -- action, fetch (a thin notice) or pull
    connection TEXT NOT NULL,
    name       TEXT NOT NULL,      -- of the action, trigger or pull
    run_id     TEXT,
    step       BIGINT,
    event_id   TEXT,
    member_id  TEXT,
    lane       TEXT NOT NULL,
    input      TEXT NOT NULL,
    state      BIGINT NOT NULL,    -- 0 due, 1 begun, 2 done, 3 held, 4 refused by the messaging gate
    attempts   BIGINT NOT NULL,
    due_at     TEXT NOT NULL,
    result     TEXT NOT NULL,
    note       TEXT NOT NULL,
    created_at TEXT NOT NULL,
    changed_at TEXT NOT NULL
);
CREATE INDEX call_due ON call (state, due_at, id) WHERE state = 0;
CREATE INDEX call_begun ON call (state, id) WHERE state = 1;
CREATE INDEX call_held ON call (state, id) WHERE state = 3;
CREATE INDEX call_run ON call (run_id) WHERE run_id IS NOT NULL;

CREATE TABLE trace (
    event_id TEXT PRIMARY KEY,
    why      TEXT NOT NULL         -- the recipes that heard of the event and did nothing, each with the reason
);

CREATE TABLE once_per (
    recipe   TEXT NOT NULL,
    key      TEXT NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (recipe, key)
);

CREATE TABLE parked_lane (
    lane      TEXT PRIMARY KEY,
    event_id  TEXT NOT NULL,
    note      TEXT NOT NULL,
    parked_at TEXT NOT NULL
);

CREATE TABLE recipe_version (
    recipe    TEXT NOT NULL,
    version   TEXT NOT NULL,
    source    TEXT NOT NULL,
    path      TEXT NOT NULL,
    loaded_at TEXT NOT NULL,
    PRIMARY KEY (recipe, version)
);

CREATE TABLE staff_task (
    id         TEXT PRIMARY KEY,
    run_id     TEXT NOT NULL,
    member_id  TEXT,
    question   TEXT NOT NULL,
    choices    TEXT NOT NULL,
    otherwise  TEXT NOT NULL,      -- the answer when nobody gives one in time
    due_at     TEXT,
    answer     TEXT NOT NULL,
    answered_by TEXT NOT NULL,
    created_at TEXT NOT NULL,
    answered_at TEXT
);
CREATE UNIQUE INDEX staff_task_run ON staff_task (run_id, id);
CREATE INDEX staff_task_open ON staff_task (id) WHERE answered_at IS NULL;

CREATE TABLE receipt (
    delivery_id TEXT PRIMARY KEY,
    seq         BIGINT NOT NULL,
    connection  TEXT NOT NULL,
    state       TEXT NOT NULL,     -- unreadable, ignored or other_account
    note        TEXT NOT NULL,
    at          TEXT NOT NULL
);
CREATE INDEX receipt_state ON receipt (state, seq);

CREATE TABLE answer (
    command_id TEXT PRIMARY KEY,
    ok         BIGINT NOT NULL,
    result     TEXT NOT NULL,
    at         TEXT NOT NULL
);

CREATE TABLE cursor (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE connection_health (
    connection   TEXT PRIMARY KEY,
    state        TEXT NOT NULL,    -- ok, failing, open (breaker) or needs_reconnecting
    failures     BIGINT NOT NULL,
    open_until   TEXT,
    last_ok_at   TEXT,
    last_heard_at TEXT,
    last_error   TEXT NOT NULL
);
