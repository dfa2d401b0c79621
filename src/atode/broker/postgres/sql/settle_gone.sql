-- Delete jobs that have ended, count them, and unlock what the successful ones have locked.
-- 1 now, or NULL   2 queues   3 ids   4 batches   5 workers   6 claim numbers
-- 7 tallies (1 success, -1 failure, 0 neither)
-- Returns how many, and, if not all, the places in the arrays of those that held their job.
WITH gone AS (
    DELETE FROM {schema}.jobs
    USING unnest($2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::integer[], $7::integer[])
        WITH ORDINALITY AS ended (queue, id, batch, worker, number, tally, place)
    WHERE jobs.queue = ended.queue AND jobs.id = ended.id AND jobs.batch = ended.batch
        AND jobs.state = 'active' AND jobs.worker = ended.worker AND jobs.claims = ended.number
    RETURNING ended.place, ended.tally, jobs.queue, jobs.id, jobs.unique_text
),
{settled}
SELECT count(*), CASE WHEN count(*) < cardinality($2::text[]) THEN array_agg(place) END FROM gone;
