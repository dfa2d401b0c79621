-- Cancelled jobs.

-- When an active job was cancelled, so that it does not run again; 0 for all others.
ALTER TABLE jobs ADD COLUMN cancelled_at REAL NOT NULL DEFAULT 0;
CREATE INDEX jobs_cancelled ON jobs (queue) WHERE state = 'active' AND cancelled_at > 0;
