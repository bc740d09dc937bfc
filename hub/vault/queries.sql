-- kept_secrets --
-- Every secret that is kept.
SELECT connection, name, key_id, sealed, set_at, set_by FROM secret ORDER BY connection, name;

-- keep_secret --
-- A secret, in the place of the one that was kept there.
INSERT INTO secret (connection, name, key_id, sealed, set_at, set_by)
VALUES (:connection, :name, :key_id, :sealed, :set_at, :set_by)
ON CONFLICT (connection, name) DO UPDATE
SET key_id = excluded.key_id, sealed = excluded.sealed, set_at = excluded.set_at, set_by = excluded.set_by;

-- reseal_secret --
-- The same secret under another key.
UPDATE secret SET key_id = :key_id, sealed = :sealed WHERE connection = :connection AND name = :name;

-- drop_secret --
-- A secret is kept no longer.
DELETE FROM secret WHERE connection = :connection AND name = :name;

-- key_in_use --
-- The id of the key that everything is encrypted with now.
SELECT key_id FROM key_in_use WHERE one = 1;

-- use_key --
-- From now on everything is encrypted with this key.
INSERT INTO key_in_use (one, key_id, since) VALUES (1, :key_id, :since)
ON CONFLICT (one) DO UPDATE SET key_id = excluded.key_id, since = excluded.since;

-- token_of --
-- The token of a connection.
SELECT key_id, sealed, expires_at, asked_at FROM token WHERE connection = :connection;

-- all_tokens --
-- Every token, and how long it is good.
SELECT connection, key_id, sealed, expires_at, saved_at FROM token ORDER BY connection;

-- keep_token --
-- A connection's token, in the place of the one before.
INSERT INTO token (connection, key_id, sealed, expires_at, saved_at, asked_at)
VALUES (:connection, :key_id, :sealed, :expires_at, :saved_at, NULL)
ON CONFLICT (connection) DO UPDATE
SET key_id = excluded.key_id, sealed = excluded.sealed, expires_at = excluded.expires_at, saved_at = excluded.saved_at,
    asked_at = NULL;

-- token_asked --
-- A new token is being asked for.
UPDATE token SET asked_at = :asked_at WHERE connection = :connection;

-- reseal_token --
-- The same token under another key.
UPDATE token SET key_id = :key_id, sealed = :sealed WHERE connection = :connection;
