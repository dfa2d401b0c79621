-- How many of the first 20,000 locks of a queue belong to jobs that are gone, and one of them.
-- 1 queue   2 now
SELECT count(*), min(text)
FROM (
    SELECT text, id FROM locks INDEXED BY locks_by_end
    WHERE queue = ?1 AND until > ?2
    LIMIT 20000
) AS held
WHERE NOT EXISTS (
    SELECT 1 FROM jobs INDEXED BY jobs_by_id WHERE jobs.queue = ?1 AND jobs.id = held.id
);
