-- worked_facts --
-- How many facts of each kind have been worked.
SELECT fact, COUNT(*) AS number FROM event WHERE state = 1 GROUP BY fact;

-- members_by_tier --
-- How many members each tier has.
SELECT tier, COUNT(*) AS number FROM member GROUP BY tier;

-- full_story --
-- A member to whom everything happened that can happen to points, and in as few steps as possible.
SELECT t.member_id
FROM txn t JOIN member m ON m.id = t.member_id JOIN balance b ON b.member_id = t.member_id
WHERE b.available > 0
GROUP BY t.member_id, m.email
HAVING SUM(CASE WHEN t.kind = 'redeem' THEN 1 ELSE 0 END) > 0
   AND SUM(CASE WHEN t.kind = 'expire' THEN 1 ELSE 0 END) > 0
   AND SUM(CASE WHEN t.kind = 'clawback' THEN 1 ELSE 0 END) > 0
ORDER BY COUNT(*), m.email
LIMIT 1;
