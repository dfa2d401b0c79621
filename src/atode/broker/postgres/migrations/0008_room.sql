-- Room in the primary key's index for what claims add to it.

-- A job that is claimed becomes a new version of its row, with an entry of its own right beside
-- the old one. In pages that new jobs have filled up, each such entry makes PostgreSQL search
-- the page for dead ones, and split it. Only new pages are affected, and nothing is rewritten.
ALTER INDEX {schema}.jobs_pkey SET (fillfactor = 50);
