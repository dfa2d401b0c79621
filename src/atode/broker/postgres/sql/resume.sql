-- Let a queue go on, and wake who waits; a row if that is new.
-- 1 queue   2 channel   3 words for it
WITH owned AS (UPDATE {schema}.job_moves SET pauses = false WHERE queue = $1)
DELETE FROM {schema}.job_paused WHERE queue = $1
RETURNING (SELECT count(pg_notify($2::text, word)) FROM unnest($3::text[]) AS word);
