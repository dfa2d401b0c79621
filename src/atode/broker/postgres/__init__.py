"""Jobs in PostgreSQL: one table that operators can read, and enqueue in one's own transaction."""
