"""What the worker tests share: a running worker, waiting for facts, a store that fails."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

import pytest

from atode import Atode, BrokerRefused, BrokerUnavailable, Job, JobHandle, State, Worker
from atode.broker.memory import MemoryBroker
from atode.broker.protocol import Broker, Cancellation, Refused
from atode.clock import Clock
from atode.events import Event
from atode.group import Group, Member
from atode.job import Claim
from atode.outcome import Settlement
from atode.presence import Presence
from atode.size import Wish

E = TypeVar("E", bound=Event)

PATIENCE = 20.0
"""Seconds after which a fact that has not come true is a failure."""


async def until(fact: Callable[[], object]) -> None:
    """Return as soon as `fact()` is true."""
    async with asyncio.timeout(PATIENCE):
        while not fact():
            await asyncio.sleep(0.001)


async def until_stored(handle: JobHandle[Any], state: State | None) -> Job | None:
    """The job, once it is stored in `state`; None for one that must have been deleted."""
    async with asyncio.timeout(PATIENCE):
        while True:
            job = await handle.job()
            if (job.state if job else None) is state:
                return job
            await asyncio.sleep(0.001)


async def archived(handle: JobHandle[Any]) -> Job:
    """The job, once it has ended for good."""
    job = await until_stored(handle, State.ARCHIVED)
    assert job is not None
    return job


async def wait_deaf(event: asyncio.Event) -> None:
    """Wait for it, whoever wants to interrupt."""
    while not event.is_set():
        try:
            await event.wait()
        except asyncio.CancelledError:
            continue


def heard(app: Atode, kind: type[E]) -> list[E]:
    """All events of this kind from now on, as they come."""
    events: list[E] = []
    app.events.subscribe(kind, events.append)
    return events


@asynccontextmanager
async def working(app: Atode, **options: Any) -> AsyncGenerator[Worker]:
    """A worker that runs inside the block, and stops without patience at its end."""
    worker = app.worker(**options)
    running = asyncio.create_task(worker.run(signals=False))
    try:
        yield worker
    finally:
        worker.stop()
        worker.stop()
        async with asyncio.timeout(PATIENCE):
            await running


class Faults:
    """Which methods of a flaky broker fail, and how often each was called."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.everything_down = False
        self.refused: set[str] = set()
        """Ids of jobs whose settlement the store refuses with an error."""
        self.lost: set[str] = set()
        """Ids of jobs whose claims the store says are lost."""
        self.calls = Counter[str]()

    def meet(self, method: str) -> None:
        self.calls[method] += 1
        if self.everything_down or method in self.down:
            raise BrokerUnavailable(f"the store is down for {method}")


class FlakyBroker(MemoryBroker):
    """A memory broker that fails on demand; siblings fail together."""

    faults: Faults

    @classmethod
    def with_faults(cls) -> Self:
        broker = cls()
        broker.faults = Faults()
        return broker

    def sibling(self) -> Self:
        twin = super().sibling()
        twin.faults = self.faults
        return twin

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[Refused]:
        self.faults.meet("enqueue")
        return await super().enqueue(jobs)

    async def claim(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str
    ) -> Sequence[Claim]:
        self.faults.meet("claim")
        return await super().claim(queues, limit=limit, lease=lease, worker=worker)

    async def extend(self, claims: Sequence[Claim], *, lease: float) -> Sequence[Claim]:
        self.faults.meet("extend")
        lost = [claim for claim in claims if claim.job.id in self.faults.lost]
        return [*lost, *await super().extend(claims, lease=lease)]

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Settlement]:
        self.faults.meet("settle")
        if any(settlement.claim.job.id in self.faults.refused for settlement in settlements):
            raise BrokerRefused("a job in this batch cannot be written")
        return await super().settle(settlements)

    async def wait(self, queues: Sequence[str], *, at_most: float) -> None:
        self.faults.meet("wait")
        await super().wait(queues, at_most=at_most)

    async def promote(self, queues: Sequence[str]) -> float | None:
        self.faults.meet("promote")
        return await super().promote(queues)

    async def wait_due(self, queues: Sequence[str], *, until: float | None) -> None:
        self.faults.meet("wait_due")
        await super().wait_due(queues, until=until)

    async def reap(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str
    ) -> Sequence[Claim]:
        self.faults.meet("reap")
        return await super().reap(queues, limit=limit, lease=lease, worker=worker)

    async def groups(self, queues: Sequence[str]) -> Sequence[Group]:
        self.faults.meet("groups")
        return await super().groups(queues)

    async def members(self, queue: str, group: str, *, limit: int) -> Sequence[Member]:
        self.faults.meet("members")
        return await super().members(queue, group, limit=limit)

    async def merge(
        self, queue: str, group: str, members: Sequence[Member], jobs: Sequence[Job]
    ) -> bool:
        self.faults.meet("merge")
        return await super().merge(queue, group, members, jobs)

    async def release(self, queue: str, group: str, members: Sequence[Member]) -> int:
        self.faults.meet("release")
        return await super().release(queue, group, members)

    async def cancellations(
        self, queues: Sequence[str], *, worker: str, at_most: float
    ) -> Sequence[Cancellation]:
        self.faults.meet("cancellations")
        return await super().cancellations(queues, worker=worker, at_most=at_most)

    async def marked(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        self.faults.meet("marked")
        return await super().marked(claims)

    async def prune(self, queues: Sequence[str]) -> int:
        self.faults.meet("prune")
        return await super().prune(queues)

    async def beat(self, presence: Presence, *, lifetime: float) -> Wish | None:
        self.faults.meet("beat")
        return await super().beat(presence, lifetime=lifetime)

    async def leave(self, presence: Presence) -> None:
        self.faults.meet("leave")
        await super().leave(presence)

    async def take_place(self, scope: str, holder: str, *, limit: int, until: float) -> bool:
        self.faults.meet("take_place")
        return await super().take_place(scope, holder, limit=limit, until=until)

    async def free_place(self, scope: str, holder: str, *, until: float) -> bool:
        self.faults.meet("free_place")
        return await super().free_place(scope, holder, until=until)

    async def get(self, queue: str, job_id: str) -> Job | None:
        self.faults.meet("get")
        return await super().get(queue, job_id)


def app_on(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Atode:
    """An app whose jobs live in this broker."""

    def found(url: str, clock: Clock) -> Broker:
        return broker

    monkeypatch.setattr("atode.app.broker_for", found)
    return Atode("memory://")
