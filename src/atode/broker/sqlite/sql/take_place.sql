-- Take a place, or keep the one that the holder has, unless others have taken all.
-- 1 scope   2 holder   3 until   4 number of places
INSERT INTO places (scope, holder, until)
SELECT ?1, ?2, ?3
WHERE (SELECT count(*) FROM places WHERE scope = ?1 AND holder <> ?2) < ?4
    OR EXISTS (SELECT 1 FROM places WHERE scope = ?1 AND holder = ?2)
ON CONFLICT (scope, holder) DO UPDATE SET until = excluded.until;
