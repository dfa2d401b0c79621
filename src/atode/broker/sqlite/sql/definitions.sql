-- All definitions, by id.
SELECT id, version, body FROM definitions WHERE id <> '' ORDER BY id;
