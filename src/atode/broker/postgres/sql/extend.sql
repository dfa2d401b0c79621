-- Hold jobs for longer.
-- 1 now, or NULL   2 queues   3 ids   4 batches   5 workers   6 claim numbers   7 lease
-- Returns the places in the arrays of the claims that hold their job. Does not wait for the disk.
UPDATE {schema}.jobs SET turn = now.seconds + $7::double precision
FROM {now} AS now
CROSS JOIN unnest($2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::integer[])
    WITH ORDINALITY AS held (queue, id, batch, worker, number, place)
WHERE {hasty} AND jobs.queue = held.queue AND jobs.id = held.id AND jobs.batch = held.batch
    AND jobs.state = 'active' AND jobs.worker = held.worker AND jobs.claims = held.number
RETURNING held.place;
