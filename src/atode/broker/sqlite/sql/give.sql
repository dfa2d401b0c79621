-- What to say of jobs that leave beyond what jobs_of.sql says: since when they wait or are
-- archived, and the seconds for which they hold their lock. As many as fit, in the order of their
-- numbers in the array.
-- 1 JSON array of seq   2 bytes of contents after which there are no more   3 now
SELECT seq, since, lock_left FROM (
    SELECT
        wanted.key AS place,
        jobs.seq AS seq,
        CASE jobs.state
            WHEN 'pending' THEN pending_since
            WHEN 'aggregating' THEN pending_since
            WHEN 'archived' THEN archived_at
            ELSE 0.0
        END AS since,
        coalesce(locks.until - ?3, 0.0) AS lock_left,
        sum(length(payload) + length(result)) OVER (
            ORDER BY wanted.key ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS before
    FROM json_each(?1) AS wanted
    CROSS JOIN jobs ON jobs.seq = wanted.value
    LEFT JOIN locks ON locks.queue = jobs.queue AND locks.text = jobs.unique_text
        AND locks.id = jobs.id AND locks.until > ?3
)
WHERE coalesce(before, 0) < ?2
ORDER BY place;
