-- The jobs that a schedule became, newest first.
-- 1 schedule   2 limit   3 offset
SELECT fired.id, fired.name, fired.at FROM {schema}.job_fired AS fired
WHERE fired.schedule = $1
ORDER BY fired.at DESC, fired.id DESC
LIMIT $2 OFFSET $3;
