-- Tokens that platforms gave, encrypted like secrets.

CREATE TABLE token (
    connection TEXT PRIMARY KEY,
    key_id     TEXT NOT NULL,
    sealed     TEXT NOT NULL,      -- access and refresh token, and the address of the account's API
    expires_at TEXT,               -- NULL: the platform does not say
    saved_at   TEXT NOT NULL,
    asked_at   TEXT                -- a new one was asked for then, and its answer is not known
);
