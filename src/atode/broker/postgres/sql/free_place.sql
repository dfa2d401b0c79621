-- Give back a place that was taken with this instant. Does not wait for the disk: what a crash of
-- the server takes back ends by itself.
-- 1 now, or NULL   2 scope   3 holder   4 until
-- Returns whether its time was not over.
DELETE FROM {schema}.job_places AS places
WHERE {hasty} AND places.scope = $2 AND places.holder = $3 AND places.until = $4::double precision
RETURNING places.expires > (SELECT seconds FROM {now} AS now);
