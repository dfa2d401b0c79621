"""A job that was cancelled never runs again, whatever happens to the worker that has it."""

from types import ModuleType

from atode import State
from tests.faults.journal import Journal
from tests.faults.worker_process import WorkerProcess


async def test_a_job_whose_worker_is_killed_before_it_acts_is_archived_and_not_run_again(
    app: ModuleType, url: str, journal: Journal
) -> None:
    options = ("--lease", "2", "--log-level", "info")
    async with app.jobs:
        with WorkerProcess(url, journal.path, *options) as victim:
            await victim.started()
            # It blocks the event loop, so that the worker cannot even hear the news.
            cancelled = await app.block_loop.enqueue(1, seconds=60)
            await journal.until(lambda j: 1 in j.count("start"))

            assert await cancelled.cancel()
            victim.kill()
        with WorkerProcess(url, journal.path, *options) as heir:
            await heir.started()
            await heir.says("was cancelled")
            # One more job through the same queue: the first has had its chance by then.
            await app.work.enqueue(2)
            await journal.until(lambda j: 2 in j.count("end"))
            job = await cancelled.job()

    assert job is not None
    assert (job.state, job.error, job.retried) == (State.ARCHIVED, "cancelled", 0)
    assert journal.count("start") == {1: 1, 2: 1}


async def test_a_frozen_worker_that_comes_back_does_not_bring_its_cancelled_job_back(
    app: ModuleType, url: str, journal: Journal
) -> None:
    options = ("--lease", "2", "--log-level", "info")
    async with app.jobs:
        with (
            WorkerProcess(url, journal.path, *options) as sleeper,
            WorkerProcess(url, journal.path, *options) as heir,
        ):
            await sleeper.started()
            cancelled = await app.work.enqueue(1, seconds=60)
            await journal.until(lambda j: 1 in j.count("start"))
            [start] = journal.entries("start")
            holder, other = (sleeper, heir) if start.pid == sleeper.pid else (heir, sleeper)
            await heir.started()

            holder.freeze()
            assert await cancelled.cancel()
            await other.says("was cancelled")
            holder.thaw()
            await holder.says("is no longer ours")
            job = await cancelled.job()

    assert job is not None
    assert (job.state, job.error) == (State.ARCHIVED, "cancelled")
    assert journal.count("start") == {1: 1}
