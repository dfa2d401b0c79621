"""Promises 1, 3 and 4: at least once, back soon, poison stops."""

import asyncio
import time
from functools import partial
from types import ModuleType

from atode import State
from tests.faults.journal import Journal
from tests.faults.worker_process import WorkerProcess

LEASE = 4.0


async def test_jobs_of_a_killed_worker_run_again_within_the_lease_and_a_second(
    app: ModuleType, url: str, journal: Journal
) -> None:
    options = ("--lease", str(LEASE), "--concurrency", "50")
    async with app.jobs:
        with WorkerProcess(url, journal.path, *options) as victim:
            await victim.started()
            await app.jobs.enqueue_many(app.linger.call(n) for n in range(50))
            await journal.until(lambda j: len(j.count("start")) == 50)
            with WorkerProcess(url, journal.path, *options) as heir:
                await heir.started()

                victim.kill()
                killed_at = time.time()
                await journal.until(lambda j: len(j.count("end")) == 50)
                counts = await _settled(app)

    again = [entry.at for entry in journal.entries("start") if entry.pid == heir.pid]
    assert len(again) == 50
    # The promise itself, with the lease as the measure; not a measurement of speed.
    assert max(again) - killed_at <= LEASE + 1
    assert set(journal.count("end").values()) == {1}
    assert counts[State.ARCHIVED] == 0


async def test_workers_killed_over_and_over_lose_nothing(
    app: ModuleType, url: str, journal: Journal
) -> None:
    total = 400
    options = ("--lease", "2", "--concurrency", "20")
    async with app.jobs:
        stored = asyncio.create_task(_trickle(app, total))
        for _ in range(4):
            with WorkerProcess(url, journal.path, *options) as victim:
                await victim.started()
                before = len(journal.count("end"))
                await journal.until(partial(_has_more_than, before + 20))
                victim.kill()
        with WorkerProcess(url, journal.path, *options) as last:
            await last.started()
            await stored
            await journal.until(lambda j: len(j.count("end")) == total)
            counts = await _settled(app)

    assert journal.count("end").keys() == set(range(total))
    assert counts[State.ARCHIVED] == 0


async def test_a_job_that_kills_its_worker_is_archived_when_its_retries_are_used_up(
    app: ModuleType, url: str, journal: Journal
) -> None:
    async with app.jobs:
        handle = await app.die.options(max_retry=2, retention=60).enqueue(1)
        for _ in range(3):
            with WorkerProcess(url, journal.path, "--lease", "2") as victim:
                assert await victim.exit_code() == 9
        with WorkerProcess(url, journal.path, "--lease", "2") as last:
            await last.started()
            await last.says("is archived")
            job = await handle.job()

    assert job is not None
    assert job.state is State.ARCHIVED
    assert "lease expired" in job.error
    assert journal.count("start") == {1: 3}


def _has_more_than(ended: int, journal: Journal) -> bool:
    return len(journal.count("end")) > ended


async def _trickle(app: ModuleType, total: int) -> None:
    for number in range(total):
        await app.work.enqueue(number, seconds=0.02)
        await asyncio.sleep(0.005)


async def _settled(app: ModuleType) -> dict[State, int]:
    """Counts once nothing is active or pending any more."""
    while True:
        counts: dict[State, int] = dict(await app.jobs.broker.counts("default"))
        if not counts[State.ACTIVE] and not counts[State.PENDING] and not counts[State.RETRY]:
            return counts
        await asyncio.sleep(0.05)
