"""Databases for tests, one after the other, without the cost of a new one for each."""

import asyncio
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from atode.broker.postgres.broker import PostgresBroker
from tests.servers.postgres import PostgresServer

# Whoever is still there could hold a lock on what is to be emptied. To empty a table with its file
# costs as much as many rows do, so what is left of few rows stays in it, dead.
_EMPTY = """
DO $$
DECLARE place record;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
    FOR place IN SELECT oid::regclass AS name, pg_relation_size(oid) AS size FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'job_migrations'
    LOOP
        IF place.size > 131072 THEN
            EXECUTE format('TRUNCATE %s', place.name);
        ELSIF place.size > 0 THEN
            EXECUTE format('DELETE FROM %s', place.name);
        END IF;
    END LOOP;
    -- The only row that a migration has made.
    INSERT INTO job_definitions (id, version, body) VALUES ('', 0, '');
    PERFORM setval(oid, 1, false) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'S';
END $$;
"""

# All that a test can change of a database, except for the rows that are gone anyway.
_SHAPE = """
WITH ours AS (
    SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
), things AS (
    SELECT nspname || nspowner || coalesce(nspacl::text, '') AS thing FROM ours
    UNION ALL
    SELECT concat_ws(' ', c.oid, nspname, relname, relkind, relowner, relacl, relnatts, relchecks,
        relhasrules, relhastriggers, relrowsecurity, reloptions)
    FROM pg_class c JOIN ours ON ours.oid = relnamespace
    UNION ALL
    SELECT concat_ws(' ', attrelid, attname, atttypid, attnotnull, atthasdef, attacl)
    FROM pg_attribute WHERE attnum > 0
        AND attrelid IN (SELECT c.oid FROM pg_class c JOIN ours ON ours.oid = relnamespace)
    UNION ALL
    SELECT concat_ws(' ', p.oid, proname, prosrc)
    FROM pg_proc p JOIN ours ON ours.oid = pronamespace
    UNION ALL
    SELECT concat_ws(' ', tgrelid, tgname) FROM pg_trigger
    UNION ALL
    SELECT concat_ws(' ', d.datname, s.setconfig)
    FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = setdatabase
    WHERE setdatabase = 0 OR datname = current_database()
    UNION ALL
    SELECT gid FROM pg_prepared_xacts WHERE database = current_database()
    UNION ALL
    SELECT version || name FROM job_migrations
)
SELECT md5(string_agg(thing, E'\\n' ORDER BY thing)) FROM things
"""


class PostgresDatabases:
    """Of one server. Each has atode's newest schema and nothing in it.

    A database is used again if a test has left everything but rows as it was.
    """

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._shapes: dict[str, str] = {}
        self._free: list[str] = []

    @contextmanager
    def one(self) -> Generator[str]:
        """The URL of a database that nobody else has meanwhile."""
        name = self._free.pop() if self._free else self._made()
        yield self._server.url(name)
        if self._server.do(_EMPTY + _SHAPE, name) == self._shapes[name]:
            self._free.append(name)

    def _made(self) -> str:
        name = self._server.created()
        # Also called where an event loop runs.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _migrate(self._server.url(name))).result()
        self._shapes[name] = self._server.do(_SHAPE, name)
        return name


async def _migrate(url: str) -> None:
    broker = PostgresBroker(url)
    await broker.migrate()
    await broker.close()
