-- Wake who waits.
-- 1 channel   2 words for it
SELECT count(pg_notify($1::text, word)) FROM unnest($2::text[]) AS word;
