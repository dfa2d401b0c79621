"""A PostgreSQL server of our own, as durable as PostgreSQL is by default."""

from collections.abc import Generator
from contextlib import contextmanager

from bench.redis_server import NoServer
from tests.servers.postgres import PostgresServer, system_programs, wheel_programs

SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
}


@contextmanager
def running_postgres() -> Generator[PostgresServer]:
    """A server on a free port of this machine, in a folder that goes away.

    Raises:
        NoServer: there are no programs of PostgreSQL here.
    """
    programs = wheel_programs() or system_programs()
    if programs is None:
        raise NoServer("no PostgreSQL in the development group or in /usr/lib/postgresql")
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    with PostgresServer(*options, programs=programs) as server:
        yield server
