"""Who is compared: a client and a worker of the benchmark's tasks."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import perf_counter
from typing import Protocol

from bench.enqueue import by_callers, in_bulk, rate
from bench.latency import pace
from bench.lateness import delay
from bench.stage import QUEUE, Stage
from bench.versus.score import Reached
from bench.worker import CONCURRENCY, command_of, shows_presence


class NoPeer(Exception):
    """A peer cannot be had on this machine; it says why."""


class Clerk(Protocol):
    """Who stores jobs for one side, as many in each call as `BULK`, and sees what is left."""

    async def store(self, numbers: range) -> float:
        """Store the jobs of these numbers; how many seconds that took."""
        ...

    async def left(self) -> int:
        """How many jobs have not ended."""
        ...


class Side(Protocol):
    """What works off a backlog."""

    name: str

    def worker(
        self, stage: Stage, *, concurrency: int = CONCURRENCY, queue: str = QUEUE
    ) -> Sequence[str]:
        """The command that starts a worker with the stage's environment."""
        ...

    async def is_ready(self, stage: Stage, pid: int) -> bool:
        """Whether the worker that was started as this process takes jobs."""
        ...

    def clerk(self, stage: Stage) -> AbstractAsyncContextManager[Clerk]:
        """Who stores its jobs."""
        ...


Rival = Side | Reached
"""A peer, or why there is none."""


class Sender(Side, Protocol):
    """A side whose client stores jobs one at a time, too."""

    async def enqueue(self, stage: Stage, jobs: int) -> float:
        """Jobs per second that many callers store at once; the jobs are numbered from 0."""
        ...

    async def pace(self, stage: Stage, numbers: range) -> Mapping[int, float]:
        """Store jobs at fixed intervals; the instant just before each, by number."""
        ...

    async def delay(self, stage: Stage, due: Mapping[int, float]) -> None:
        """Store a job for each of these instants."""
        ...


class Atode:
    """The library, in this process and as `atode worker`."""

    name = "atode"

    def worker(
        self, stage: Stage, *, concurrency: int = CONCURRENCY, queue: str = QUEUE
    ) -> Sequence[str]:
        return command_of("--queue", queue, concurrency=concurrency)

    async def is_ready(self, stage: Stage, pid: int) -> bool:
        return await shows_presence(stage, pid)

    def clerk(self, stage: Stage) -> AbstractAsyncContextManager[Clerk]:
        return our_clerk(stage)

    async def enqueue(self, stage: Stage, jobs: int) -> float:
        return (await rate("", by_callers(stage.tasks, range(jobs)))).value

    async def pace(self, stage: Stage, numbers: range) -> Mapping[int, float]:
        return await pace(stage, numbers)

    async def delay(self, stage: Stage, due: Mapping[int, float]) -> None:
        await delay(stage, due)


US = Atode()


class _OurClerk:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def store(self, numbers: range) -> float:
        began = perf_counter()
        await in_bulk(self._stage.tasks, numbers)
        return perf_counter() - began

    async def left(self) -> int:
        return await self._stage.unsettled()


@asynccontextmanager
async def our_clerk(stage: Stage) -> AsyncGenerator[Clerk]:
    """The library's client, as the clerk of whoever shares the library's format."""
    # The first question connects, and makes the tables.
    clerk = _OurClerk(stage)
    await clerk.left()
    yield clerk
