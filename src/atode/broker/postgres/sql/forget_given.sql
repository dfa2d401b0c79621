-- Forget what was received and is gone from the old store.
-- 1 queue   2 mover   3 number of his last transport of which that is known
DELETE FROM {schema}.job_received WHERE queue = $1 AND mover = $2 AND number <= $3;
