-- What is in the way of new unique jobs, as one JSON array: for each its place, whether its id
-- is taken, and the id of the job that holds its lock (null if none does).
-- 1 JSON array of [queue, id, text]   2 now
SELECT json_group_array(json_array(
    new.key,
    EXISTS (
        SELECT 1 FROM jobs INDEXED BY jobs_by_id
        WHERE jobs.queue = json_extract(new.value, '$[0]')
            AND jobs.id = json_extract(new.value, '$[1]')
    ),
    (
        SELECT locks.id FROM locks
        WHERE locks.queue = json_extract(new.value, '$[0]')
            AND locks.text = json_extract(new.value, '$[2]')
            AND locks.until > ?2
    )
))
FROM json_each(?1) AS new;
