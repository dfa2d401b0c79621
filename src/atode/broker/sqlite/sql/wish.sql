-- What size was wished of a worker last, as JSON, or NULL.
-- 1 worker
SELECT json_extract(body, '$.wish') FROM workers WHERE worker = ?1;
