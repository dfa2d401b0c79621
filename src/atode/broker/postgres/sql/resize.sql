-- Wish a living worker to be of another size; a row if it lives.
-- 1 now, or NULL   2 worker   3 the wish as JSON
UPDATE {schema}.job_workers SET body = (body::jsonb || jsonb_build_object('wish', $3::jsonb))::text
WHERE worker = $2 AND expires > (SELECT seconds FROM {now} AS now)
RETURNING 1;
