-- Give back a place that was taken until this instant, if that has not come yet.
-- 1 scope   2 holder   3 until   4 now
DELETE FROM places WHERE scope = ?1 AND holder = ?2 AND until = ?3 AND until > ?4;
