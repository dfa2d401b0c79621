"""Random plays on every broker against the memory broker."""

from contextlib import closing
from pathlib import Path
from typing import Any, cast

import psycopg
from redis import Redis

from atode.broker.postgres.broker import PostgresBroker
from atode.broker.protocol import Broker
from atode.broker.redis.broker import RedisBroker
from atode.broker.sqlite.broker import SqliteBroker
from atode.clock import Clock
from atode.testing.machine import play
from tests.contract import differences


class SqliteStage:
    """A file, and another one for each play."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._plays = 0

    def broker(self, clock: Clock) -> Broker:
        return SqliteBroker(self._folder / f"{self._plays}.db", clock)

    async def empty(self) -> None:
        for file in self._folder.glob(f"{self._plays}.db*"):
            file.unlink()
        self._plays += 1

    async def cut(self) -> None:
        """There is nothing between a program and its file."""


class PostgresStage:
    """A database, whose tables are cleared for each play."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection = psycopg.connect(url, autocommit=True)

    def broker(self, clock: Clock) -> Broker:
        return PostgresBroker(self._url, clock)

    async def empty(self) -> None:
        for (table,) in self._connection.execute(
            "SELECT tablename FROM pg_tables "
            "WHERE schemaname = 'public' AND tablename <> 'job_migrations'"
        ).fetchall():
            self._connection.execute(SQL("DELETE FROM {}").format(Identifier(table)))

    async def cut(self) -> None:
        self._connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    def close(self) -> None:
        self._connection.close()


class RedisStage:
    """A server, which is flushed for each play."""

    def __init__(self, url: str) -> None:
        self._url = url
        # redis-py's own annotations are partial.
        self._client = cast("Any", Redis).from_url(url)

    def broker(self, clock: Clock) -> Broker:
        return RedisBroker(self._url, clock)

    async def empty(self) -> None:
        self._client.flushall()

    async def cut(self) -> None:
        for kind in ("normal", "pubsub"):
            self._client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")

    def close(self) -> None:
        self._client.close()


def test_sqlite(tmp_path: Path) -> None:
    play(SqliteStage(tmp_path), differences.SQLITE)


def test_postgres(postgres_url: str) -> None:
    with closing(PostgresStage(postgres_url)) as stage:
        play(stage, differences.POSTGRES)


def test_redis(redis_url: str) -> None:
    with closing(RedisStage(redis_url)) as stage:
        play(stage, differences.REDIS)
