"""Promise 2: not twice while healthy."""

from types import ModuleType

import pytest

from tests.faults.journal import Journal
from tests.faults.worker_process import WorkerProcess

LEASE = 2.0


@pytest.mark.parametrize("handler", ["block_loop", "compute", "block_thread"])
async def test_a_handler_that_blocks_for_twice_the_lease_runs_once(
    app: ModuleType, url: str, journal: Journal, handler: str
) -> None:
    options = ("--lease", str(LEASE))
    async with app.jobs:
        with (
            WorkerProcess(url, journal.path, *options) as one,
            WorkerProcess(url, journal.path, *options) as other,
        ):
            await one.started()
            await other.started()

            await getattr(app, handler).enqueue(1, seconds=2 * LEASE + 0.5)
            await journal.until(lambda j: len(j.count("end")) == 1)
            # Two more jobs through the same queue: whoever would run it again has had
            # its chance by then.
            await app.work.enqueue(2, seconds=LEASE)
            await journal.until(lambda j: 2 in j.count("end"))

    assert journal.count("start") == {1: 1, 2: 1}
