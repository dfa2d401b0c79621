-- Write what an attempt changes in jobs that stay, count them, unlock, and wake who waits.
-- 1 now, or NULL   2 ids   3 tickets   4 workers
-- 5 tallies (1 success, -1 failure, 0 neither)   6 states   7 due   8 retried   9 errors
-- 10 last failed   11 completed   12 results   13 channel   14 words for it
-- A job that goes back to pending stands where it stood: before all that came after it. One
-- that was cancelled does not run again.
-- Returns how many, and, if not all, the tickets of those that held their job.
WITH gone AS (
    UPDATE {schema}.jobs SET
        state = CASE WHEN {called_off} THEN 'archived' ELSE ended.state END,
        turn = CASE
            WHEN {called_off} THEN now.seconds
            WHEN ended.state = 'pending' THEN jobs.line
            WHEN ended.state = 'retry' THEN ended.due
            WHEN ended.state = 'completed' THEN ended.completed + jobs.retention
            ELSE now.seconds
        END,
        scheduled_at = CASE
            WHEN ended.due > 0 THEN to_timestamp(ended.due)
            WHEN ended.state = 'pending' THEN jobs.created_at
            ELSE jobs.scheduled_at
        END,
        retried = ended.retried,
        error = CASE WHEN {called_off} THEN '{cancelled}' ELSE ended.error END,
        last_failed_at = CASE
            WHEN {called_off} THEN to_timestamp(now.seconds)
            WHEN ended.failed > 0 THEN to_timestamp(ended.failed)
        END,
        cancelled = NULL,
        completed_at = CASE WHEN ended.completed > 0 THEN to_timestamp(ended.completed) END,
        result = ended.result,
        worker = NULL,
        updated_at = to_timestamp(now.seconds)
    FROM {now} AS now
    CROSS JOIN unnest(
        $3::bigint[], $5::integer[], $6::text[], $7::double precision[], $8::integer[],
        $9::text[], $10::double precision[], $11::double precision[], $12::bytea[]
    ) AS ended (ticket, tally, state, due, retried, error, failed, completed, result)
    WHERE {held} AND jobs.ticket = ended.ticket
    RETURNING ended.ticket, ended.tally, jobs.queue, jobs.id, jobs.unique_text
),
{settled}
SELECT
    count(*),
    CASE WHEN count(*) < cardinality($3::bigint[]) THEN array_agg(ticket) END,
    (SELECT count(pg_notify($13::text, word)) FROM unnest($14::text[]) AS word)
FROM gone;
