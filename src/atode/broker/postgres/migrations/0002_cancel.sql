-- Running jobs may be cancelled for good.

-- Set while a job runs that is not to run again: the number of the cancellation, which no other
-- has, so that a second one is news again.
ALTER TABLE {schema}.jobs ADD COLUMN cancelled bigint;

CREATE INDEX jobs_cancelled ON {schema}.jobs (queue) WHERE cancelled IS NOT NULL;
