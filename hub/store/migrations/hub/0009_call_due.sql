-- The calls of a connection that is closed for an hour are many: those of all others are found without passing them.
-- The state stands last: PostgreSQL knows it from the condition, and would read the whole index for a key that it leaves out.

DROP INDEX call_due;
CREATE INDEX call_due ON call (connection, due_at, id, state) WHERE state = 0;
