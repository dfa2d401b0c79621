-- What a queue did on the last days (UTC), and how many days ago that was.
-- 1 now, or NULL   2 queue   3 how many days
SELECT today.day - tallies.day, sum(tallies.succeeded)::bigint, sum(tallies.failed)::bigint
FROM {schema}.job_tallies AS tallies
CROSS JOIN (
    SELECT (to_timestamp(now.seconds) AT TIME ZONE 'UTC')::date AS day FROM {now} AS now
) AS today
WHERE tallies.queue = $2 AND tallies.day > today.day - $3::integer
GROUP BY today.day, tallies.day;
