-- Wake who waits; there is nothing in it for the disk to keep.
-- 1 channel   2 words for it
SELECT count(pg_notify($1::text, word)) FROM unnest($2::text[]) AS word
WHERE {hasty};
