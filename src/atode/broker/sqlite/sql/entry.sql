-- The first number that has not been given yet, and how many of these queues are known.
-- 1 JSON array of queues
SELECT next, (
    SELECT count(*) FROM queues WHERE queue IN (SELECT value FROM json_each(?1))
) FROM numbers;
