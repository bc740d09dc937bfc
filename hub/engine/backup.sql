-- anything_recorded --
-- Whether anything ever happened here.
SELECT 1 AS found WHERE EXISTS (SELECT 1 FROM event) OR EXISTS (SELECT 1 FROM member) OR EXISTS (SELECT 1 FROM txn);

-- doubt_open_calls --
-- Nobody knows whether these calls have been made.
UPDATE call SET state = 1, note = :note WHERE kind = 'action' AND state < 2;

-- compare_mirrors --
-- What platforms show of members may be newer than what has been restored.
UPDATE mirror_comparison SET terms = '';

-- match_spend --
-- Providers may have sold what the restored calls know nothing of.
DELETE FROM cursor WHERE SUBSTR(name, 1, 6) = 'spend:';

-- forget_workers --
-- Nobody works what has just been restored.
DELETE FROM worker;
