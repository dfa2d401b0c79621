-- Which of these jobs were received already, as a JSON array.
-- 1 queue   2 JSON array of ids
SELECT json_group_array(received.id)
FROM json_each(?2) AS new
CROSS JOIN received ON received.queue = ?1 AND received.id = new.value;
