-- Let others do what these stored jobs would have done.
-- 1 JSON array of seq
DELETE FROM locks WHERE (queue, text, id) IN (
    SELECT queue, unique_text, id FROM jobs
    WHERE seq IN (SELECT value FROM json_each(?1)) AND unique_text <> ''
);
