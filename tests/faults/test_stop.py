"""Promise 8: stops cleanly."""

import signal
from types import ModuleType

from atode import State
from tests.faults.journal import Journal
from tests.faults.worker_process import WorkerProcess


async def test_running_jobs_finish_and_nothing_new_is_claimed(
    app: ModuleType, url: str, journal: Journal
) -> None:
    async with app.jobs:
        with WorkerProcess(url, journal.path, "--concurrency", "5") as worker:
            await worker.started()
            await app.jobs.enqueue_many(app.work.call(n, seconds=1.0) for n in range(10))
            await journal.until(lambda j: len(j.count("start")) == 5)

            worker.terminate()

            assert await worker.exit_code() == 0
        counts = await app.jobs.broker.counts("default")

    assert journal.count("start") == journal.count("end")
    assert len(journal.count("end")) == 5
    assert (counts[State.PENDING], counts[State.ACTIVE]) == (5, 0)


async def test_what_does_not_finish_in_time_goes_back_at_once(
    app: ModuleType, url: str, journal: Journal
) -> None:
    async with app.jobs:
        with WorkerProcess(url, journal.path, "--shutdown-timeout", "0.5") as worker:
            await worker.started()
            await app.work.enqueue(1, seconds=3600)
            await app.block_thread.enqueue(2, seconds=3600)
            await journal.until(lambda j: len(j.count("start")) == 2)

            worker.terminate()

            assert await worker.exit_code() == 0
        counts = await app.jobs.broker.counts("default")
        assert (counts[State.PENDING], counts[State.ACTIVE]) == (2, 0)
        with WorkerProcess(url, journal.path) as next_worker:
            await next_worker.started()
            await journal.until(lambda j: j.count("start") == {1: 2, 2: 2})


async def test_a_second_signal_does_not_wait(app: ModuleType, url: str, journal: Journal) -> None:
    async with app.jobs:
        with WorkerProcess(url, journal.path) as worker:
            await worker.started()
            await app.work.enqueue(1, seconds=3600)
            await journal.until(lambda j: len(j.count("start")) == 1)

            worker.terminate()
            await worker.says(" stops; 1 ")
            await worker.insist(signal.SIGTERM)

            assert await worker.exit_code() == 0
        counts = await app.jobs.broker.counts("default")

    assert (counts[State.PENDING], counts[State.ACTIVE]) == (1, 0)
