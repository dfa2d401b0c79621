-- The number of this transaction, by which others can ask what became of it.
SELECT pg_current_xact_id()::text AS number;
