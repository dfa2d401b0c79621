"""A move that is stopped before or after any single call to a store, and started again."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest

from atode.broker.memory import MemoryBroker
from atode.broker.protocol import Broker
from atode.broker.redis.broker import RedisBroker
from atode.broker.sqlite.broker import SqliteBroker
from atode.job import State
from atode.mover import Mover, Report
from atode.outcome import Succeeded
from atode.testing.clock import FakeClock
from atode.testing.jobs import a_job, end, take

JOBS = [f"job-{n}" for n in range(7)]
AT_ONCE = 3


class Stopped(BaseException):
    """What ends a process, as far as its code can see."""


class Fuse:
    """Ends the process at a call of that number."""

    def __init__(self, number: int, *, before: bool) -> None:
        self.left = number
        self.before = before

    async def around(self, call: Callable[[], Any]) -> Any:
        self.left -= 1
        if self.left == 0 and self.before:
            raise Stopped
        value = await call()
        if self.left == 0:
            raise Stopped
        return value


class Fused:
    """A broker whose calls go through the fuse."""

    def __init__(self, broker: Broker, fuse: Fuse) -> None:
        self._broker = broker
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._broker, name)

        async def call(*arguments: Any, **options: Any) -> Any:
            return await self._fuse.around(lambda: method(*arguments, **options))

        return call


def fused(broker: Broker, fuse: Fuse) -> Broker:
    return cast("Broker", Fused(broker, fuse))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def broker(
    request: pytest.FixtureRequest, clock: FakeClock, tmp_path: Path
) -> AsyncIterator[Broker]:
    match request.param:
        case "memory":
            broker: Broker = MemoryBroker(clock)
        case "sqlite":
            broker = SqliteBroker(tmp_path / "jobs.db", clock)
        case _:
            broker = RedisBroker(request.getfixturevalue("redis_url"), clock)
    yield broker
    await broker.close()


async def moved(old: Broker, new: Broker, clock: FakeClock) -> Report:
    [report] = await Mover(old, new, clock, lambda progress: None).move(["default"], wait=0)
    return report


async def run_all(broker: Broker, clock: FakeClock, runs: Counter[str]) -> None:
    """What a worker of the new store does, to the last trace of the jobs."""
    clock.advance(60)
    await broker.promote(["default"])
    for claim in await take(broker):
        runs[claim.job.id] += 1
        assert await end(broker, claim, Succeeded(), clock) == []


async def stopped_and_started_again(old: Broker, new: Broker, clock: FakeClock, fuse: Fuse) -> bool:
    """Whether the fuse blew; each accepted job must have run once, in the end."""
    runs: Counter[str] = Counter()
    accepted = Counter(JOBS)
    later = clock.now() + 1
    jobs = [a_job(id=job_id, due=later * (n % 2)) for n, job_id in enumerate(JOBS)]
    await old.enqueue(jobs)
    has_stopped = False
    try:
        await moved(fused(old, fuse), fused(new, fuse), clock)
    except Stopped:
        has_stopped = True
    await run_all(new, clock, runs)
    # A producer of the old store uses ids again that are free there.
    for job_id in JOBS:
        accepted[job_id] += 1 - len(await old.enqueue([a_job(id=job_id)]))

    report = await moved(old, new, clock)

    await run_all(new, clock, runs)
    assert report.is_complete
    assert not report.paused
    assert runs == accepted
    assert not any((await new.counts("default")).values())
    return has_stopped


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("direction", ["from", "to"])
async def test_each_job_runs_once_wherever_the_move_is_stopped(
    broker: Broker, clock: FakeClock, before: bool, direction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atode.mover.AT_ONCE", AT_ONCE)
    number = 0
    has_stopped = True
    while has_stopped:
        number += 1
        other = MemoryBroker(clock)
        old, new = (broker, other) if direction == "from" else (other, broker)
        fuse = Fuse(number, before=before)
        has_stopped = await stopped_and_started_again(old, new, clock, fuse)
        await broker.remove("default", force=True)
    # All calls have been tried.
    assert number >= 20


async def test_a_job_that_is_claimed_in_the_moment_of_its_move_is_told_of(
    clock: FakeClock,
) -> None:
    old, new = MemoryBroker(clock), MemoryBroker(clock)
    await old.enqueue([a_job(id="a")])

    class Resumed(MemoryBroker):
        async def given(self, queue: str, ids: Any, *, stamp: Any) -> Any:
            await self.resume(queue)
            await take(self)
            await self.pause(queue)
            return await super().given(queue, ids, stamp=stamp)

    source = Resumed(clock, _store=old._store)  # pyright: ignore[reportPrivateUsage]

    report = await moved(source, new, clock)

    assert not report.is_complete
    assert report.running == 1
    assert (await old.counts("default"))[State.ACTIVE] == 1
