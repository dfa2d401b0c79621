-- Let others do what jobs did; the row of values (queue, text, id of the holder) is repeated.
DELETE FROM locks WHERE (queue, text, id) IN (VALUES (?, ?, ?));
