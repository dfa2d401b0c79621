-- Forget that a queue was being moved, if this mover was the last, but not that it is paused for
-- that.
-- 1 queue   2 mover
WITH ended AS (
    UPDATE {schema}.job_moves SET mover = '', given = '', receives = false
    WHERE queue = $1 AND mover = $2
    RETURNING queue
)
DELETE FROM {schema}.job_received
WHERE queue = ANY (ARRAY(SELECT ended.queue FROM ended));
