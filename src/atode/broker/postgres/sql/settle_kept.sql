-- Write what an attempt changes in jobs that stay, count them, unlock, and wake who waits.
-- 1 now, or NULL   2 queues   3 ids   4 batches   5 workers   6 claim numbers
-- 7 tallies (1 success, -1 failure, 0 neither)   8 states   9 due   10 retried   11 errors
-- 12 last failed   13 completed   14 results   15 channel   16 words for it
-- A job that goes back to pending stands where it stood: before all that came after it.
-- Returns how many, and, if not all, the places in the arrays of those that held their job.
WITH gone AS (
    UPDATE {schema}.jobs SET
        state = ended.state,
        turn = CASE ended.state
            WHEN 'pending' THEN jobs.line
            WHEN 'retry' THEN ended.due
            WHEN 'completed' THEN ended.completed + jobs.retention
            ELSE now.seconds
        END,
        scheduled_at =
            CASE WHEN ended.due > 0 THEN to_timestamp(ended.due) ELSE jobs.scheduled_at END,
        retried = ended.retried,
        error = ended.error,
        last_failed_at = CASE WHEN ended.failed > 0 THEN to_timestamp(ended.failed) END,
        completed_at = CASE WHEN ended.completed > 0 THEN to_timestamp(ended.completed) END,
        result = ended.result,
        worker = NULL,
        updated_at = to_timestamp(now.seconds)
    FROM {now} AS now
    CROSS JOIN unnest(
        $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::integer[], $7::integer[],
        $8::text[], $9::double precision[], $10::integer[], $11::text[],
        $12::double precision[], $13::double precision[], $14::bytea[]
    ) WITH ORDINALITY AS ended (
        queue, id, batch, worker, number, tally, state, due, retried, error, failed, completed,
        result, place
    )
    WHERE jobs.queue = ended.queue AND jobs.id = ended.id AND jobs.batch = ended.batch
        AND jobs.state = 'active' AND jobs.worker = ended.worker AND jobs.claims = ended.number
    RETURNING ended.place, ended.tally, jobs.queue, jobs.id, jobs.unique_text
),
{settled}
SELECT
    count(*),
    CASE WHEN count(*) < cardinality($2::text[]) THEN array_agg(place) END,
    (SELECT count(pg_notify($15::text, word)) FROM unnest($16::text[]) AS word)
FROM gone;
