"""Nothing is lost or run twice when whole stores move, whoever is killed meanwhile."""

import asyncio
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

from atode.clock import SystemClock
from atode.stores import broker_for
from tests.faults.journal import Journal
from tests.faults.process import Process
from tests.faults.worker_process import ROOT, WorkerProcess

JOBS = 4000


class MoveProcess(Process):
    """`atode move` as a process of its own."""

    READY = "Let producers and workers use the new store first"

    def __init__(self, source: str, target: str, folder: Path) -> None:
        command = [sys.executable, "-m", "atode", "move", "--from", source, "--to", target, "--yes"]
        environment = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        super().__init__(command, folder, environment)


@pytest.fixture
def target(url: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store of another kind than `url`."""
    if url.startswith("redis"):
        return f"sqlite:///{tmp_path}/new.db"
    found: str = request.getfixturevalue("redis_url")
    return found


async def test_jobs_run_once_though_their_mover_is_killed_again_and_again(
    app: ModuleType, url: str, target: str, journal: Journal, tmp_path: Path
) -> None:
    seed = random.randrange(1000)
    moments = random.Random(seed)
    async with app.jobs:
        await app.jobs.enqueue_many(app.work.call(n) for n in range(JOBS))
        with WorkerProcess(target, journal.path, "--concurrency", "100") as worker:
            await worker.started()
            for _ in range(6):
                with MoveProcess(url, target, tmp_path) as mover:
                    await mover.started()
                    # Any moment will do; which one it was is of no importance.
                    await asyncio.sleep(moments.uniform(0, 0.2))
                    mover.kill()
            with MoveProcess(url, target, tmp_path) as mover:
                assert await mover.exit_code() == 0, "".join(mover.log)
            await journal.until(lambda j: len(j.count("end")) == JOBS)
            left = await app.jobs.broker.counts("default")

    assert not any(left.values())
    assert set(journal.count("start").values()) == {1}, f"seed {seed}"


async def test_jobs_that_producers_store_while_they_move_run_once(
    app: ModuleType, url: str, target: str, journal: Journal, tmp_path: Path
) -> None:
    stop = asyncio.Event()
    stored = 0

    async def produce() -> None:
        nonlocal stored
        while not stop.is_set():
            await app.work.enqueue(stored)
            stored += 1
            await asyncio.sleep(0.001)

    async with app.jobs:
        producing = asyncio.create_task(produce())
        with WorkerProcess(target, journal.path) as worker:
            await worker.started()
            with MoveProcess(url, target, tmp_path) as mover:
                # Producers may be faster than the last look, and then it says so.
                assert await mover.exit_code() in {0, 1}, "".join(mover.log)
            stop.set()
            await producing
            with MoveProcess(url, target, tmp_path) as last:
                assert await last.exit_code() == 0, "".join(last.log)
            await journal.until(lambda j: len(j.count("end")) == stored)

    assert journal.count("start") == dict.fromkeys(range(stored), 1)


async def test_ctrl_c_stops_a_move_and_the_same_command_ends_it(
    app: ModuleType, url: str, target: str, tmp_path: Path
) -> None:
    async with app.jobs:
        await app.jobs.enqueue_many(app.work.call(n) for n in range(JOBS))
        with MoveProcess(url, target, tmp_path) as mover:
            await mover.started()
            mover.interrupt()
            code = await mover.exit_code()
        with MoveProcess(url, target, tmp_path) as again:
            assert await again.exit_code() == 0, "".join(again.log)

        new = broker_for(target, SystemClock())
        counts = await new.counts("default")
        await new.close()

    assert code in {0, 130}
    assert sum(counts.values()) == JOBS
