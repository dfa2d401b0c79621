"""Each side deletes what the other one kept for long enough, and nothing sooner."""

import asyncio
import time
from types import ModuleType

from atode import State
from atode.broker.redis.broker import RedisBroker
from tests.interop.journal import Journal
from tests.interop.peer import Peer
from tests.interop.processes import GoServer, PythonWorker


async def test_the_janitor_of_go_deletes_what_python_completed(
    app: ModuleType, go: Peer, redis_url: str, journal: Journal
) -> None:
    async with app.jobs:
        with PythonWorker(redis_url, journal) as worker:
            await worker.started()
            long = await app.greet.enqueue("A")
            short = await app.greet.options(retention=1).enqueue("B")
            await go.task_in("completed", long.id)
            await worker.stop()
        with GoServer(go, journal, janitor=0.1) as server:
            await server.started()

            while await short.job():
                await asyncio.sleep(0.05)
            gone_at = time.time()

        [end] = await journal.has("end", short.id)
        assert gone_at >= int(end.at) + 1
        assert await long.result() == "Hello, A"


async def test_python_deletes_what_go_completed(
    go: Peer, broker: RedisBroker, go_server: GoServer
) -> None:
    payload = b'{"name": "A"}'
    long, short = go.enqueue(
        {"type": "greet", "payload": payload, "retention": 3600},
        {"type": "greet", "payload": payload, "retention": 2},
    )
    done = await go.task_in("completed", short.id)
    await go.task_in("completed", long.id)
    await go_server.stop()

    while not await broker.prune(["default"]):
        await asyncio.sleep(0.05)

    assert time.time() >= done.completed_at + 2
    assert await broker.get("default", short.id) is None
    assert (await broker.counts("default"))[State.COMPLETED] == 1
    assert go.task(long.id).result == b'"Hello, A"'
