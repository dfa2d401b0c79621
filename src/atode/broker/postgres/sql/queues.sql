-- The names of all queues.
SELECT queue FROM {schema}.job_queues ORDER BY queue;
