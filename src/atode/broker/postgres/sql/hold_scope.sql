-- Keep everybody else from taking places in a scope until this transaction ends.
-- 1 schema   2 scope
SELECT pg_advisory_xact_lock(hashtext('atode places ' || $1), hashtext($2));
