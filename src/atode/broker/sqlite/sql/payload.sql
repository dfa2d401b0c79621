-- The payload of a job, too large to travel with the others.
-- 1 seq
SELECT CAST(payload AS BLOB) FROM jobs WHERE seq = ?1;
