-- Take a place, or keep the one that the holder has, unless others have taken all. Only for who
-- holds the scope: he sees every place that is taken.
-- 1 now, or NULL   2 scope   3 holder   4 until   5 seconds until then   6 number of places
-- Returns a row if it is taken.
WITH vacated AS (
    DELETE FROM {schema}.job_places AS places
    WHERE places.scope = $2 AND places.holder <> $3
        AND places.expires <= (SELECT seconds FROM {now} AS now)
)
INSERT INTO {schema}.job_places (scope, holder, until, expires)
SELECT $2, $3, $4::double precision, now.seconds + $5::double precision
FROM {now} AS now
WHERE $6::bigint > (
        SELECT count(*) FROM {schema}.job_places AS places
        WHERE places.scope = $2 AND places.holder <> $3 AND places.expires > now.seconds
    )
    OR EXISTS (
        SELECT FROM {schema}.job_places AS places
        WHERE places.scope = $2 AND places.holder = $3 AND places.expires > now.seconds
    )
ON CONFLICT (scope, holder) DO UPDATE SET until = excluded.until, expires = excluded.expires
RETURNING 1;
