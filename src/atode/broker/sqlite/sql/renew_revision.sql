-- Definitions change.
UPDATE definitions SET version = version + 1 WHERE id = '';
