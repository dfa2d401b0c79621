-- The present instant.
-- 1 now, or NULL
SELECT seconds FROM {now} AS now;
