-- Any number of workers: who is there, what waits in a lane, and what of a chain is sealed.

CREATE TABLE worker (
    id      TEXT PRIMARY KEY,
    seen_at TEXT NOT NULL
);
CREATE INDEX event_in_lane ON event (lane, state, id) WHERE state = 0;
CREATE INDEX block_head_member ON block_head (member_id, seq);
