"""Promise 7: five workers hold the same schedule, and each of its ticks becomes one job."""

import asyncio
from contextlib import ExitStack
from types import ModuleType

import pytest

from atode.schedule import Fired, tick_id
from tests.faults.journal import Journal
from tests.faults.worker_process import WorkerProcess


@pytest.fixture(params=["sqlite", "redis"])
def url(request: pytest.FixtureRequest, url: str) -> str:
    return url


async def test_each_second_is_one_job_of_five_workers_one_of_which_is_killed_and_one_frozen(
    app: ModuleType, url: str, journal: Journal
) -> None:
    with ExitStack() as stack:
        workers = [
            stack.enter_context(
                WorkerProcess(url, journal.path, "--lease", "2", app="tests.faults.schedules:jobs")
            )
            for _ in range(5)
        ]
        await asyncio.gather(*(worker.started() for worker in workers))
        await _ticks_more(journal, 2)
        workers[0].kill()
        workers[1].freeze()
        await _ticks_more(journal, 3)
        workers[1].thaw()
        await _ticks_more(journal, 2)
        for worker in workers[1:]:
            worker.terminate()
        assert [await worker.exit_code() for worker in workers[1:]] == [0] * 4
    async with app.jobs:
        fired: list[Fired] = list(await app.jobs.broker.fired("tick", limit=1000))

    ran = sorted(journal.count("tick"))
    assert ran == list(range(ran[0], ran[-1] + 1))
    ids = [job.job_id for job in reversed(fired)]
    assert ids == [tick_id("tick", second) for second in range(ran[0], ran[0] + len(ids))]
    # One more may be stored and not have run when the last worker stops.
    assert len(ran) <= len(ids) <= len(ran) + 1


async def _ticks_more(journal: Journal, number: int) -> None:
    before = len(journal.count("tick"))
    await journal.until(lambda found: len(found.count("tick")) >= before + number)
