-- Remember what is received, and with which transport.
-- 1 queue   2 mover   3 number   4 ids
INSERT INTO {schema}.job_received (queue, id, mover, number)
SELECT $1, new.id, $2, $3::bigint FROM unnest($4::uuid[]) AS new (id)
ON CONFLICT (queue, id) DO UPDATE SET mover = excluded.mover, number = excluded.number;
