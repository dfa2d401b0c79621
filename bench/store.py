"""The places where jobs live that are measured, each with nothing else in it."""

import itertools
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import calibration
from bench.figure import Figure
from bench.postgres_server import running_postgres
from bench.redis_server import running_redis

_SYNCHRONOUS = "normal"


class Kind(StrEnum):
    """A store, by the scheme of its URL."""

    SQLITE = "sqlite"
    REDIS = "redis"
    POSTGRES = "postgres"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Store:
    """A place for jobs, as the measurements see it."""

    kind: Kind
    settings: str
    """Its version, and how durable it is set to be."""
    folder: Path
    """Goes away with the store."""
    fresh: Callable[[], str]
    """Forget all jobs; the URL to use from now on."""
    calibrate: Callable[[], list[Figure]] = list
    """How fast it is without the library."""
    server_pid: int | None = None
    is_shared: bool = True
    """Whether other processes can reach it."""


@contextmanager
def running(kind: Kind) -> Generator[Store]:
    """A store in a temporary folder, and its server where it needs one.

    Raises:
        NoServer: it cannot be had on this machine; it says why.
    """
    with TemporaryDirectory(prefix="atode-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        match kind:
            case Kind.SQLITE:
                yield _sqlite(folder)
            case Kind.MEMORY:
                yield _memory(folder)
            case Kind.REDIS:
                with _redis(folder) as store:
                    yield store
            case Kind.POSTGRES:
                with _postgres(folder) as store:
                    yield store


def _memory(folder: Path) -> Store:
    return Store(
        kind=Kind.MEMORY,
        settings="no store and no second process: the library's own cost",
        folder=folder,
        fresh=lambda: "memory://",
        is_shared=False,
    )


def _sqlite(folder: Path) -> Store:
    numbers = itertools.count()
    return Store(
        kind=Kind.SQLITE,
        settings=f"SQLite {sqlite3.sqlite_version}, WAL, synchronous={_SYNCHRONOUS}",
        folder=folder,
        fresh=lambda: f"sqlite:///{folder / f'jobs-{next(numbers)}.db'}?synchronous={_SYNCHRONOUS}",
        calibrate=lambda: calibration.sqlite(folder / f"raw-{next(numbers)}.db", _SYNCHRONOUS),
    )


@contextmanager
def _redis(folder: Path) -> Generator[Store]:
    with running_redis(folder) as server:

        def fresh() -> str:
            server.ask("FLUSHALL")
            return f"redis://127.0.0.1:{server.port}/0"

        yield Store(
            kind=Kind.REDIS,
            settings=f"Redis {server.version}, AOF on, appendfsync everysec",
            folder=folder,
            fresh=fresh,
            calibrate=lambda: calibration.redis(server.port),
            server_pid=server.pid,
        )


@contextmanager
def _postgres(folder: Path) -> Generator[Store]:
    with running_postgres() as server:
        yield Store(
            kind=Kind.POSTGRES,
            settings=f"PostgreSQL {server.do('SHOW server_version')}, fsync on",
            folder=folder,
            fresh=server.new_database,
            calibrate=lambda: calibration.postgres(server.do),
            server_pid=server.pid,
        )
