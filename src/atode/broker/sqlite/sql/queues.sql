-- The names of all queues.
SELECT queue FROM queues ORDER BY queue;
