-- Jobs that wait for company.

-- The group of a job that has one, '' for others. Members stand in it by `position`, like others
-- in line, and `pending_since` tells since when they wait.
ALTER TABLE jobs ADD COLUMN group_name TEXT NOT NULL DEFAULT '';

CREATE INDEX jobs_aggregating ON jobs (queue, position) WHERE state = 'aggregating';
-- With the instant, so that a look at all groups reads nothing else.
CREATE INDEX jobs_grouped ON jobs (queue, group_name, position, pending_since)
WHERE state = 'aggregating';
