"""One semaphore whose places Go's x/rate and Python's jobs take."""

import time
from types import ModuleType

from atode.broker.redis.broker import RedisBroker
from tests.faults.journal import eventually
from tests.interop.journal import Journal
from tests.interop.peer import Peer, Spec
from tests.interop.processes import GoServer, PythonWorker

PLACES = 3
EACH = 12


async def test_both_sides_together_take_no_more_places_than_there_are(
    app: ModuleType, go: Peer, redis_url: str, journal: Journal
) -> None:
    with (
        GoServer(go, journal, queues={"go": 1}) as go_side,
        PythonWorker(redis_url, journal, "--queue", "python") as python_side,
    ):
        await go_side.started()
        await python_side.started()
        async with app.jobs:
            for queue in ("go", "python"):
                task = app.guarded.options(queue=queue)
                await app.jobs.enqueue_many(task.call(0.05) for _ in range(EACH))
            await journal.until(lambda: len(journal.ids("leave")) == 2 * EACH)

    inside = most = 0
    for entry in journal.all():
        inside += {"enter": 1, "leave": -1}.get(entry.word, 0)
        most = max(most, inside)
    assert 1 < most <= PLACES
    assert journal.ids("enter", "go").total() == journal.ids("enter", "python").total() == EACH


async def test_go_waits_until_python_gives_back_a_place(
    go: Peer, broker: RedisBroker, journal: Journal
) -> None:
    end = time.time() + 600
    for name in "abc":
        assert await broker.take_place("payments", name, limit=PLACES, until=end)
    with GoServer(go, journal) as go_side:
        await go_side.started()
        [job] = go.enqueue(Spec(type="guarded", payload=b'{"seconds": 0}'))
        await journal.has("full", job.id)
        entered = journal.ids("enter")

        assert await broker.free_place("payments", "b", until=end)

        await journal.has("leave", job.id)
        await eventually(lambda: go.queue().processed == 1)
    assert not entered


async def test_python_finds_no_place_while_go_has_them_all(
    go: Peer, broker: RedisBroker, journal: Journal
) -> None:
    with GoServer(go, journal) as go_side:
        await go_side.started()
        spec = Spec(type="guarded", payload=b'{"seconds": 600}', timeout=3600)
        held = go.enqueue(*[spec] * PLACES)
        await journal.has("enter", *[task.id for task in held])

        end = time.time() + 600
        assert not await broker.take_place("payments", "j1", limit=PLACES, until=end)
        # The same job has its place still, whoever took it for which attempt.
        assert await broker.take_place("payments", held[0].id, limit=PLACES, until=end)
        go_side.kill()
