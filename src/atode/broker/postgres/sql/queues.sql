-- The names of all queues.
SELECT DISTINCT queue FROM {schema}.job_queues ORDER BY queue;
