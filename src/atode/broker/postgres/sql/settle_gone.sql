-- Delete jobs that have ended, count them, and unlock what the successful ones have locked.
-- 1 now, or NULL   2 ids   3 tickets   4 workers   5 tally of all (1 success, -1 failure, 0 neither)
-- Returns how many, and, if not all, the tickets of those that held their job.
WITH gone AS (
    DELETE FROM {schema}.jobs
    WHERE {held}
    RETURNING jobs.ticket, $5::integer AS tally, jobs.queue, jobs.id, jobs.unique_text
),
{settled}
SELECT count(*), CASE WHEN count(*) < cardinality($3::bigint[]) THEN array_agg(ticket) END
FROM gone;
