"""A worker that is resized from another process while jobs run."""

import asyncio
import os
import re
import signal
from types import ModuleType

from tests.faults.journal import Journal
from tests.faults.worker_process import WorkerProcess


async def test_a_worker_grows_by_way_of_the_store_and_shrinks_by_signals(
    app: ModuleType, url: str, journal: Journal
) -> None:
    async with app.jobs:
        with WorkerProcess(url, journal.path, "--concurrency", "1") as worker:
            await worker.started()
            await worker.says(" serves ")
            [worker_id] = re.findall(r"worker (\S+) serves", "".join(worker.log))
            await app.jobs.enqueue_many(app.work.call(n, seconds=3600) for n in range(9))
            await journal.until(lambda j: len(j.count("start")) == 1)
            async with asyncio.timeout(60):
                while not await app.jobs.resize(worker_id, 4):
                    await asyncio.sleep(0.05)

            await journal.until(lambda j: len(j.count("start")) == 4)
            os.kill(worker.pid, signal.SIGTTOU)
            await worker.says("has 3 slots now, and had 4")
            async with asyncio.timeout(60):
                while not any(each.concurrency == 3 for each in await app.jobs.broker.workers()):
                    await asyncio.sleep(0.05)
            [shown] = await app.jobs.broker.workers()

    assert (shown.worker, shown.running_count) == (worker_id, 4)
    assert len(journal.count("start")) == 4
    assert not journal.count("end")
