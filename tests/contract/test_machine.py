"""Random plays on every broker against the memory broker."""

import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from redis import Redis

from atode.broker.memory import MemoryBroker
from atode.broker.memory.store import Record
from atode.broker.postgres.broker import PostgresBroker
from atode.broker.protocol import Broker, Which
from atode.broker.redis.broker import RedisBroker
from atode.broker.sqlite.broker import SqliteBroker
from atode.clock import Clock
from atode.group import Member
from atode.job import Claim, Job
from atode.testing.machine import play
from tests.contract import differences


class SqliteStage:
    """A file for each play, copied from one that has its tables already."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._plays = 0

    def broker(self, clock: Clock) -> Broker:
        return SqliteBroker(self._folder / f"{self._plays}.db", clock)

    async def empty(self) -> None:
        template = SqliteBroker(self._folder / "template.db")
        await template.open()
        await template.close()
        for file in self._folder.glob(f"{self._plays}.db*"):
            file.unlink()
        self._plays += 1
        shutil.copy(self._folder / "template.db", self._folder / f"{self._plays}.db")

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
            "SELECT quote_ident(tablename) FROM pg_tables "
            "WHERE schemaname = 'public' AND tablename <> 'job_migrations'"
        ).fetchall():
            self._connection.execute(f"DELETE FROM {table}".encode())

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
        play(stage, differences.POSTGRES, plays=10)  # each is dear here


def test_redis(redis_url: str) -> None:
    with closing(RedisStage(redis_url)) as stage:
        play(stage, differences.REDIS)


# That the machine can fail


class MemoryStage:
    """Memory brokers that share one store, and are of a kind that is broken."""

    def __init__(self, kind: type[MemoryBroker]) -> None:
        self._kind = kind
        self._broker: MemoryBroker | None = None

    def broker(self, clock: Clock) -> Broker:
        self._broker = self._broker.sibling() if self._broker else self._kind(clock)
        return self._broker

    async def empty(self) -> None:
        self._broker = None

    async def cut(self) -> None:
        """There is nothing to cut."""


class WithoutFence(MemoryBroker):
    """Whoever has had a job may settle it."""

    def _held(self, claim: Claim) -> Record | None:
        return self._store.queue(claim.job.queue).records.get(claim.job.id)


class LastFirst(MemoryBroker):
    """What came last is claimed first."""

    async def claim(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str
    ) -> Sequence[Claim]:
        for name in queues:
            self._store.queue(name).pending.reverse()
        return await super().claim(queues, limit=limit, lease=lease, worker=worker)


class KeepsLocks(MemoryBroker):
    """Locks of deleted jobs stay."""

    async def delete(self, queue: str, which: Which) -> int:
        locks = dict(self._store.queue(queue).locks)
        deleted = await super().delete(queue, which)
        self._store.queue(queue).locks = locks
        return deleted


class StoresTwice(MemoryBroker):
    """A merge whose answer got lost stores its jobs again, under new ids."""

    async def merge(
        self, queue: str, group: str, members: Sequence[Member], jobs: Sequence[Job]
    ) -> bool:
        is_merged = await super().merge(queue, group, members, jobs)
        if is_merged and not await self.members(queue, group, limit=1):
            await self.enqueue([job._replace(id=f"{job.id}-again") for job in jobs])
        return is_merged


@pytest.mark.parametrize("kind", [WithoutFence, LastFirst, KeepsLocks, StoresTwice])
def test_a_broken_broker_is_found_out(kind: type[MemoryBroker]) -> None:
    with pytest.raises(AssertionError):
        play(MemoryStage(kind), plays=100, shrinks=False)
