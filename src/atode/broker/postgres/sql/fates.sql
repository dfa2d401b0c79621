-- What became of transactions: committed, aborted, in progress; NULL if that was long ago.
-- 1 their numbers
-- Returns the place of each among the numbers, and its fate.
SELECT asked.place, pg_xact_status(asked.number::xid8)
FROM unnest($1::text[]) WITH ORDINALITY AS asked (number, place);
