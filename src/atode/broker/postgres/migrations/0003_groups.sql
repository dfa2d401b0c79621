-- Jobs that wait for company.

-- The group of a job that has one. Members stand in it by `turn`, which is their number in line,
-- and wait since `updated_at`.
ALTER TABLE {schema}.jobs ADD COLUMN group_name text COLLATE "C";

-- With the instant, so that a look at all groups reads nothing else.
CREATE INDEX jobs_grouped ON {schema}.jobs (queue, group_name, turn) INCLUDE (updated_at)
WHERE state = 'aggregating';
