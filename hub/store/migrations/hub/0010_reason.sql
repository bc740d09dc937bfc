-- What many traces say alike is kept once; a trace names it, and keeps the values.

CREATE TABLE reason (
    id      TEXT PRIMARY KEY,  -- a hash of the rest
    recipe  TEXT NOT NULL,
    version TEXT NOT NULL,
    around  TEXT NOT NULL      -- the text before, between and after the values, and what each value is called
);
