"""Several processes under one parent: killed, stopped and resized while jobs run."""

import os
import re
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import pytest

from atode import State
from tests.faults.journal import Journal, eventually
from tests.faults.worker_process import WorkerProcess


@pytest.fixture
def url(tmp_path: Path) -> str:
    # What processes do to each other has nothing to do with the store.
    return f"sqlite:///{tmp_path}/jobs.db"


def parent(url: str, journal: Journal, *options: str) -> WorkerProcess:
    return WorkerProcess(url, journal.path, "--processes", "2", *options)


async def pids(parent: WorkerProcess, count: int) -> list[int]:
    """Of those that its children said they are, once so many workers serve."""
    await eventually(lambda: sum(" serves " in line for line in parent.log) >= count, 60.0)
    return [int(found[1]) for line in parent.log if (found := re.search(r" runs as (\d+)", line))]


@asynccontextmanager
async def at_work(
    app: ModuleType, url: str, journal: Journal, *, jobs: int, seconds: float
) -> AsyncGenerator[tuple[WorkerProcess, list[int]]]:
    """A parent and the ids of its two processes, each of which runs one of the jobs."""
    with parent(url, journal, "--concurrency", "1") as parents:
        found = await pids(parents, 2)
        await app.jobs.enqueue_many(app.work.call(n, seconds=seconds) for n in range(jobs))
        await journal.until(lambda j: len(j.count("start")) == 2)
        yield parents, found


def lives(pid: int) -> bool:
    try:
        # What has ended and is not waited for, as in a container without an init, is gone, too.
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


async def test_a_killed_process_is_started_again_and_its_job_runs_within_the_lease_and_a_second(
    app: ModuleType, url: str, journal: Journal
) -> None:
    lease = 2.0
    async with app.jobs:
        with parent(url, journal, "--lease", str(lease)) as parents:
            await pids(parents, 2)
            await app.work.enqueue(1, seconds=4.0)
            await journal.until(lambda j: len(j.count("start")) == 1)
            [entry] = journal.entries("start")

            os.kill(entry.pid, signal.SIGKILL)
            killed_at = time.time()
            found = await pids(parents, 3)
            await journal.until(lambda j: j.count("end") == {1: 1})
            await parents.stop()
        counts = await app.jobs.broker.counts("default")

    first, again = journal.entries("start")
    assert first.pid == entry.pid
    assert again.at - killed_at <= lease + 1
    assert len(set(found)) == 3
    assert any(f"({entry.pid}) ended with SIGKILL; it is started again" in x for x in parents.log)
    assert counts[State.ACTIVE] == counts[State.PENDING] == 0


async def test_signals_reach_all_processes_and_running_jobs_finish(
    app: ModuleType, url: str, journal: Journal
) -> None:
    async with app.jobs:
        async with at_work(app, url, journal, jobs=9, seconds=2.5) as (parents, _):
            os.kill(parents.pid, signal.SIGTTIN)
            await journal.until(lambda j: len(j.count("start")) == 4)
            shown = sum("has 2 slots now" in line for line in parents.log)
            parents.terminate()

            assert await parents.exit_code() == 0
        counts = await app.jobs.broker.counts("default")

    assert shown == 2
    assert journal.count("start") == journal.count("end")
    assert len({entry.pid for entry in journal.entries("end")}) == 2
    assert len(journal.count("end")) == 4
    assert (counts[State.PENDING], counts[State.ACTIVE]) == (5, 0)


async def test_a_second_signal_hands_back_and_leaves_nobody(
    app: ModuleType, url: str, journal: Journal
) -> None:
    async with app.jobs:
        async with at_work(app, url, journal, jobs=2, seconds=3600) as (parents, found):
            parents.interrupt()
            await parents.says(" stops; 1 jobs still run")
            await parents.insist(signal.SIGINT)

            assert await parents.exit_code() == 0
        counts = await app.jobs.broker.counts("default")

    assert (counts[State.PENDING], counts[State.ACTIVE]) == (2, 0)
    assert not any(map(lives, found))


async def test_without_their_parent_processes_finish_what_they_run_and_end(
    app: ModuleType, url: str, journal: Journal
) -> None:
    async with app.jobs:
        async with at_work(app, url, journal, jobs=3, seconds=1.0) as (parents, found):
            parents.kill()

            await eventually(lambda: not any(map(lives, found)))
        counts = await app.jobs.broker.counts("default")

    assert len(journal.count("end")) == 2
    assert journal.count("start") == journal.count("end")
    assert (counts[State.PENDING], counts[State.ACTIVE]) == (1, 0)
