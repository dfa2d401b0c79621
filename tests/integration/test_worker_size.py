"""A worker that is made larger and smaller while it runs."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from atode import Atode, State
from atode.events import JobReleased, JobSucceeded, WorkerResized
from atode.job import Claim
from atode.worker._threads import Threads
from tests.integration.stage import heard, until, working


@pytest.fixture
def jobs() -> Atode:
    return Atode("memory://")


class Gate:
    """Handlers that run until they are let through, and how many of them do."""

    def __init__(self, app: Atode) -> None:
        self.running: list[int] = []
        self.begun = 0
        self._open: dict[int, asyncio.Event] = {}

        @app.task
        async def stay(n: int) -> None:
            self.running.append(n)
            self.begun += 1
            gate = self._open.setdefault(n, asyncio.Event())
            await gate.wait()
            self.running.remove(n)

        self.stay = stay

    def let_through(self, count: int) -> None:
        for n in self.running[:count]:
            self._open[n].set()


async def test_a_worker_that_grows_claims_at_once(jobs: Atode) -> None:
    gate = Gate(jobs)
    await jobs.enqueue_many(gate.stay.call(n) for n in range(9))

    async with working(jobs, concurrency=2) as worker:
        await until(lambda: len(gate.running) == 2)
        worker.resize(7)
        await until(lambda: len(gate.running) == 7)

        assert worker.concurrency == 7
        assert (await jobs.broker.counts("default"))[State.PENDING] == 2


async def test_a_worker_that_shrinks_interrupts_nothing_and_claims_when_it_is_below(
    jobs: Atode,
) -> None:
    gate = Gate(jobs)
    succeeded, released = heard(jobs, JobSucceeded), heard(jobs, JobReleased)
    await jobs.enqueue_many(gate.stay.call(n) for n in range(12))

    async with working(jobs, concurrency=5) as worker:
        await until(lambda: len(gate.running) == 5)
        worker.resize(2)
        gate.let_through(3)
        await until(lambda: len(succeeded) == 3)
        await asyncio.sleep(0.02)
        full = list(gate.running)
        gate.let_through(1)
        await until(lambda: gate.begun == 6)
        await asyncio.sleep(0.02)

        assert len(full) == 2
        assert len(gate.running) == 2
        assert released == []


@pytest.mark.parametrize("store", ["memory", "sqlite", "redis", "postgres"])
async def test_an_idle_worker_that_shrinks_takes_no_more_than_it_may(
    store: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    urls = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path}/jobs.db"}
    jobs = Atode(urls.get(store) or request.getfixturevalue(f"{store}_url"))
    gate = Gate(jobs)
    idle = asyncio.Event()

    async with jobs:
        claim_next = jobs.broker.claim_next

        async def noted(queues: Sequence[str], **options: Any) -> Sequence[Claim]:
            idle.set()
            return await claim_next(queues, **options)

        monkeypatch.setattr(jobs.broker, "claim_next", noted)
        async with working(jobs, concurrency=5) as worker:
            # Not before: a claim that is under way takes as many as it has asked for.
            await until(idle.is_set)
            # On Redis, a claim soon stands there for as many as it may have run before.
            await asyncio.sleep(0.05)
            worker.resize(2)
            await jobs.enqueue_many(gate.stay.call(n) for n in range(9))
            await until(lambda: len(gate.running) == 2)
            await asyncio.sleep(0.05)

            assert gate.begun == 2


async def test_its_presence_shows_the_new_size_soon(jobs: Atode) -> None:
    resized = heard(jobs, WorkerResized)

    async with working(jobs, concurrency=5) as worker:
        async with asyncio.timeout(20):
            while not await jobs.broker.workers():
                await asyncio.sleep(0.01)
        worker.resize(6)
        worker.resize(6)
        # Less than what passes from beat to beat.
        async with asyncio.timeout(4):
            while [each.concurrency for each in await jobs.broker.workers()] != [6]:
                await asyncio.sleep(0.01)

    assert resized == [WorkerResized(worker.id, 5, 6)]


async def test_a_wish_is_granted_once_so_that_a_later_resize_holds(
    jobs: Atode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atode.worker._heartbeat.PRESENCE_EVERY", 0.02)
    resized = heard(jobs, WorkerResized)

    async with working(jobs, concurrency=5) as worker:
        async with asyncio.timeout(20):
            while not await jobs.resize(worker.id, 50):
                await asyncio.sleep(0.01)
        await until(lambda: worker.concurrency == 50)
        worker.resize(51)
        await asyncio.sleep(0.1)

        assert worker.concurrency == 51
    assert [event.concurrency for event in resized] == [50, 51]


async def test_nobody_can_resize_a_worker_that_does_not_live(jobs: Atode) -> None:
    assert not await jobs.resize("h:1:nobody", 5)
    assert not await asyncio.to_thread(jobs.resize_sync, "h:1:nobody", 5)


async def test_threads_come_and_go_with_the_size_and_none_waits_in_vain() -> None:
    threads, gate = Threads(4), threading.Event()

    first = [threads.run(gate.wait, {}) for _ in range(4)]
    threads.resize(1)
    threads.resize(6)
    # Behind those that were told to go, and would wait for them if they went.
    more = [threads.run(lambda: "ran", {}) for _ in range(2)]
    async with asyncio.timeout(20):
        assert await asyncio.gather(*more) == ["ran", "ran"]
    gate.set()
    await asyncio.gather(*first)
    threads.resize(2)
    await until(lambda: names().count("atode-handler") == 2)
    threads.close()
    await until(lambda: names().count("atode-handler") == 0)


def names() -> list[str]:
    return [thread.name.rpartition("-")[0] for thread in threading.enumerate()]
