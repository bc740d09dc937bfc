-- mark --
-- A member has changed: what a platform shows of them may be out of date.
INSERT INTO mirror (connection, member_id, state, version, settled, busy, call_id, platform_id, written, doubted, drifted, seen_at,
                    written_at, changed_at)
VALUES (:connection, :member_id, 0, 1, 0, 0, '', NULL, '', 0, '', NULL, NULL, :changed_at)
ON CONFLICT (connection, member_id) DO UPDATE SET version = mirror.version + 1,
    changed_at = CASE WHEN mirror.version > mirror.settled THEN mirror.changed_at ELSE excluded.changed_at END;

-- images_of --
-- What a platform shows of these members.
SELECT connection, member_id, state, version, settled, busy, call_id, platform_id, written, doubted, drifted, seen_at, written_at,
       changed_at
FROM mirror WHERE connection = :connection AND member_id IN :member_ids;

-- save_image --
-- What is known of a member's image; the version is the mark's alone.
INSERT INTO mirror (connection, member_id, state, version, settled, busy, call_id, platform_id, written, doubted, drifted, seen_at,
                    written_at, changed_at)
VALUES (:connection, :member_id, :state, :version, :settled, :busy, :call_id, :platform_id, :written, :doubted, :drifted, :seen_at,
        :written_at, :changed_at)
ON CONFLICT (connection, member_id) DO UPDATE SET state = excluded.state, settled = excluded.settled, busy = excluded.busy,
    call_id = excluded.call_id, platform_id = excluded.platform_id, written = excluded.written, doubted = excluded.doubted,
    drifted = excluded.drifted, seen_at = excluded.seen_at, written_at = excluded.written_at;

-- any_due --
-- Whether anything of a connection is out of date and nobody is at it.
SELECT changed_at FROM mirror WHERE connection = :connection AND version > settled AND busy = 0 ORDER BY changed_at LIMIT 1;

-- images_due --
-- The images of a connection that are out of date, those that waited longest first.
SELECT connection, member_id, state, version, settled, busy, call_id, platform_id, written, doubted, drifted, seen_at, written_at,
       changed_at
FROM mirror WHERE connection = :connection AND version > settled AND busy = 0 ORDER BY changed_at, member_id LIMIT :most;

-- count_busy --
-- How many images of a connection have a call open, up to so many.
SELECT COUNT(*) AS number FROM (SELECT 1 FROM mirror WHERE connection = :connection AND busy = 1 LIMIT :most) AS busy;

-- count_held --
-- How many calls of a connection's mirror are held, up to so many.
SELECT COUNT(*) AS number FROM
    (SELECT 1 FROM call WHERE state = 3 AND connection = :connection AND kind IN ('mirror', 'look') LIMIT :most) AS held;

-- drop_call --
-- What the call was for is done; what came of it stands elsewhere.
DELETE FROM call WHERE id = :id;

-- open_looks --
-- The calls that look at what a platform shows and are not being made now.
SELECT id, kind, connection, name, run_id, step, event_id, member_id, lane, input, state, attempts, due_at, result, note,
       created_at, changed_at
FROM call WHERE state IN (0, 3) AND connection = :connection AND kind = 'look' ORDER BY id;

-- calls_held --
-- The calls of a connection's mirror that are held.
SELECT id, kind, connection, name, run_id, step, event_id, member_id, lane, input, state, attempts, due_at, result, note,
       created_at, changed_at
FROM call WHERE state = 3 AND connection = :connection AND kind IN ('mirror', 'look') ORDER BY id;

-- members_after --
-- The members after this one.
SELECT id FROM member WHERE id > :after ORDER BY id LIMIT :most;

-- comparisons_by_id --
-- These comparisons.
SELECT id, connection, terms, started_at, finished_at, after, compared, differing, repaired, unknown, failing, note
FROM mirror_comparison WHERE id IN :ids;

-- newest_comparison --
-- The last comparison of a connection, whether or not it has ended.
SELECT id, connection, terms, started_at, finished_at, after, compared, differing, repaired, unknown, failing, note
FROM mirror_comparison WHERE connection = :connection ORDER BY id DESC LIMIT 1;

-- save_comparison --
-- How far a comparison has come, and what it found.
INSERT INTO mirror_comparison (id, connection, terms, started_at, finished_at, after, compared, differing, repaired, unknown,
                               failing, note)
VALUES (:id, :connection, :terms, :started_at, :finished_at, :after, :compared, :differing, :repaired, :unknown, :failing, :note)
ON CONFLICT (id) DO UPDATE SET finished_at = excluded.finished_at, after = excluded.after, compared = excluded.compared,
    differing = excluded.differing, repaired = excluded.repaired, unknown = excluded.unknown, failing = excluded.failing,
    note = excluded.note;

-- add_drift --
-- A field said something else than we had written.
INSERT INTO mirror_drift (comparison_id, connection, member_id, field, ours, theirs, found_at, repaired_at)
VALUES (:comparison_id, :connection, :member_id, :field, :ours, :theirs, :found_at, NULL) ON CONFLICT DO NOTHING;

-- repair_drift --
-- What a comparison found wrong of a member is right again.
UPDATE mirror_drift SET repaired_at = :repaired_at WHERE comparison_id = :comparison_id AND member_id = :member_id;

-- forget_drift --
-- What was found so long ago is of no more use.
DELETE FROM mirror_drift WHERE connection = :connection AND found_at < :before;

-- drift_of --
-- What was found wrong of a connection, newest first.
SELECT connection, member_id, field, ours, theirs, found_at, repaired_at FROM mirror_drift
WHERE connection IN :connections ORDER BY found_at DESC, member_id, field LIMIT :most;

-- count_images --
-- How many members each platform knows or does not, and how many of its images are out of date.
SELECT connection, COUNT(CASE WHEN state = 1 THEN 1 END) AS known, COUNT(CASE WHEN state = 2 THEN 1 END) AS unknown,
       COUNT(CASE WHEN version > settled THEN 1 END) AS waiting
FROM mirror GROUP BY connection;
