-- Which database this is, and whether it has the table of jobs.
-- 1 name of the table
SELECT current_database()::text AS name, to_regclass($1::text) IS NOT NULL AS has_jobs;
