"""Both sides work on one queue at the same time."""

import asyncio
from types import ModuleType

from atode import State
from atode.broker.redis.broker import RedisBroker
from tests.interop.journal import Journal
from tests.interop.peer import Peer, Spec
from tests.interop.processes import GoServer, PythonWorker

TOTAL = 20_000


async def test_every_job_of_a_shared_queue_runs_exactly_once(
    app: ModuleType, go: Peer, broker: RedisBroker, redis_url: str, journal: Journal
) -> None:
    stored = go.enqueue(*[Spec(type="work", payload=b'{"number": 1}')] * (TOTAL // 2))
    go.pause()
    async with app.jobs:
        handles = await app.jobs.enqueue_many(app.work.call(n) for n in range(TOTAL // 2))
    with (
        PythonWorker(redis_url, journal) as worker,
        GoServer(go, journal, concurrency=20) as server,
    ):
        await worker.started()
        await server.started()

        go.unpause()
        await _emptied(broker)

        # Asked while both still live, and after everything is settled.
        info = go.queue()
        await worker.stop()
        await server.stop()

    ids = {task.id for task in stored} | {handle.id for handle in handles}
    assert len(ids) == TOTAL
    assert journal.ids("start") == dict.fromkeys(ids, 1)
    assert journal.ids("end") == dict.fromkeys(ids, 1)
    assert journal.ids("end", "go")
    assert journal.ids("end", "python")
    assert (info.processed, info.failed, info.size) == (TOTAL, 0, 0)


async def _emptied(broker: RedisBroker) -> None:
    left = dict.fromkeys(State, 1)
    while any(left.values()):
        await asyncio.sleep(0.05)
        left = dict(await broker.counts("default"))
