"""Groups that Go and Python programs share: who stores, who aggregates, who runs."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from types import ModuleType

import pytest

from atode import Job, State
from atode.broker.redis.broker import RedisBroker
from tests.faults.journal import eventually
from tests.integration.stage import working
from tests.interop.journal import Entry, Journal
from tests.interop.peer import Peer, Spec
from tests.interop.processes import GoServer, PythonWorker
from tests.servers.redis_store import RedisStore

TOTAL = 4000


def item(number: int, **options: object) -> Spec:
    """A member as a Go program stores it."""
    spec = Spec(type="bundle", payload=str(number).encode(), group="bundle")
    return spec | options  # type: ignore[return-value]


def items(entries: Iterable[Entry]) -> Counter[int]:
    """How often each item was in a batch that ran."""
    return Counter(item for entry in entries for item in json.loads(entry.payload)["items"])


async def ran(journal: Journal, total: int, side: str | None = None) -> list[Entry]:
    """The batches that have run, once they hold so many items."""
    await journal.until(lambda: items(journal.entries("end", side)).total() >= total)
    return journal.entries("end", side)


async def emptied(broker: RedisBroker) -> None:
    left = dict.fromkeys(State, 1)
    while any(left.values()):
        await asyncio.sleep(0.05)
        left = dict(await broker.counts("default"))


# Go stores


async def test_a_python_batch_takes_what_go_has_put_into_a_group(
    go: Peer, journal: Journal, python_worker: PythonWorker, redis_store: RedisStore
) -> None:
    stored = go.enqueue(*[item(number) for number in range(60)])

    batches = await ran(journal, 60, "python")

    assert {task.state for task in stored} == {"aggregating"}
    assert items(batches) == Counter(range(60))
    assert {len(json.loads(batch.payload)["items"]) for batch in batches} <= {50, 10}
    await eventually(lambda: go.queue().size == 0)
    assert go.groups() == {}
    left = {name.rpartition(":")[2] for name in redis_store.dump()}
    assert not left & {"groups", "bundle", "aggregation_sets", "active", "pending"}


async def test_the_lock_that_go_took_for_a_member_is_free_once_it_is_in_a_batch(
    go: Peer, journal: Journal, python_worker: PythonWorker
) -> None:
    spec = item(1, unique=3600)
    go.enqueue(spec)
    [refused] = go.try_enqueue(spec)
    await ran(journal, 1)

    go.enqueue(spec)

    assert refused.error == "task already exists"
    await ran(journal, 2)


async def test_a_scheduled_member_of_a_go_program_comes_as_a_list_of_one(
    go: Peer, journal: Journal, python_worker: PythonWorker
) -> None:
    [task] = go.enqueue(item(7, delay=1))

    [end] = await journal.has("end", task.id, side="python")

    assert (end.payload, end.task) == (b"7", "bundle")


async def test_a_group_of_a_task_that_only_go_knows_is_left_to_go(
    go: Peer, journal: Journal, python_worker: PythonWorker
) -> None:
    [foreign] = go.enqueue(Spec(type="go:only", payload=b"{}", group="g"))
    go.enqueue(*[item(number) for number in range(3)])
    await ran(journal, 3)

    assert go.groups() == {"g": 1}
    assert go.task(foreign.id).state == "aggregating"


# Python stores


async def test_a_go_server_aggregates_what_python_has_put_into_a_group(
    go: Peer, app: ModuleType, journal: Journal
) -> None:
    async with app.jobs:
        await app.jobs.enqueue_many(app.bundle.call(number) for number in range(20))
        await app.bundle.options(key="other").enqueue(20)
    with GoServer(go, journal, group_grace=1) as server:
        await server.started()
        batches = await ran(journal, 21, "go")

    assert items(batches) == Counter(range(21))
    assert json.loads(max(batches, key=lambda each: len(each.payload)).payload) == {
        "items": list(range(20))
    }


async def test_a_delayed_item_that_gos_forwarder_moves_is_in_a_batch(
    go: Peer, app: ModuleType, broker: RedisBroker, journal: Journal
) -> None:
    async with app.jobs:
        await app.bundle.options(key="k", delay=1).enqueue(1)
    with GoServer(go, journal, group_grace=1) as server:
        await server.started()
        await eventually(lambda: not go.tasks("scheduled"))
        # Every worker of ours does this, again and again.
        await broker.prune(["default"])
        batches = await ran(journal, 1, "go")

    assert items(batches) == Counter([1])


async def test_gos_inspector_shows_and_moves_members(
    go: Peer, app: ModuleType, broker: RedisBroker
) -> None:
    async with app.jobs:
        handles = [await app.bundle.options(key="k").enqueue(number) for number in range(4)]
    ids = [handle.id for handle in handles]

    listed = go.tasks("aggregating", group="bundle:k")
    info = go.queue()

    assert go.groups() == {"bundle:k": 4}
    assert {task.id for task in listed} == set(ids)
    assert {(task.type, task.group, task.state) for task in listed} == {
        ("bundle", "bundle:k", "aggregating")
    }
    assert (info.groups, info.aggregating, info.size) == (1, 4, 4)
    assert info.memory > 0
    go.run(ids[0])
    go.archive(ids[1])
    go.delete(ids[2])
    states = [go.task(name).state for name in (ids[0], ids[1], ids[3])]
    assert states == ["pending", "archived", "aggregating"]
    assert await broker.get("default", ids[2]) is None
    [group] = await broker.groups(["default"])
    assert (group.name, group.size, group.task) == ("bundle:k", 1, "bundle")


@pytest.mark.parametrize(
    ("move", "state"), [("run_all", "pending"), ("archive_all", "archived"), ("delete_all", "")]
)
async def test_gos_inspector_moves_whole_groups(
    go: Peer, app: ModuleType, broker: RedisBroker, move: str, state: str
) -> None:
    async with app.jobs:
        await app.jobs.enqueue_many(app.bundle.call(number) for number in range(5))

    assert getattr(go, move)("aggregating", group="bundle") == 5

    counts = await broker.counts("default")
    assert {str(each): count for each, count in counts.items() if count} == (
        {state: 5} if state else {}
    )
    assert list(await broker.groups(["default"])) == []


async def test_a_member_that_gos_inspector_runs_comes_as_a_list_of_one(
    go: Peer, app: ModuleType, journal: Journal, python_worker: PythonWorker
) -> None:
    async with app.jobs:
        handle = await app.bundle.options(delay=3600).enqueue(5)

    go.run(handle.id)

    [end] = await journal.has("end", handle.id, side="python")
    assert end.payload == b"5"


# Both


async def test_what_both_aggregate_is_in_exactly_one_batch(
    go: Peer, app: ModuleType, broker: RedisBroker, redis_url: str, journal: Journal
) -> None:
    async with app.jobs:
        with (
            PythonWorker(redis_url, journal) as worker,
            GoServer(go, journal, group_grace=1, group_max_size=50) as server,
        ):
            await worker.started()
            await server.started()
            for start in range(0, TOTAL, 100):
                await app.jobs.enqueue_many(
                    app.bundle.options(key=str(number % 4)).call(number)
                    for number in range(start, start + 100)
                )
                await asyncio.sleep(0.05)
            batches = await ran(journal, TOTAL)
            await emptied(broker)
            await worker.stop()
            await server.stop()

    assert items(batches) == Counter(range(TOTAL))
    # A batch runs once, too, on whichever side.
    assert set(journal.ids("start").values()) == {1}


async def test_what_a_dead_go_server_was_aggregating_goes_to_python(
    go: Peer,
    app: ModuleType,
    broker: RedisBroker,
    redis_store: RedisStore,
    journal: Journal,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with app.jobs:
        await app.jobs.enqueue_many(app.bundle.call(number) for number in range(9))
    with GoServer(go, journal, group_grace=1, group_sleep=600) as victim:
        await victim.started()
        await victim.says("aggregates bundle")
        victim.kill()
    [taken] = redis_store.do("ZRANGE", "asynq:{default}:aggregation_sets", 0, -1)
    before = await broker.groups(["default"])
    await broker.prune(["default"])
    too_early = await broker.groups(["default"])
    # Its time is two minutes; nobody waits for that here.
    redis_store.do("ZADD", "asynq:{default}:aggregation_sets", 1, taken)
    # Here, so that its first look is not up to 15 seconds away.
    monkeypatch.setattr("atode.worker._upkeep.PRUNE_EVERY", 0.2)
    async with app.jobs, working(app.jobs):
        batches = await ran(journal, 9, "python")

    assert (before, too_early) == ([], [])
    assert items(batches) == Counter(range(9))


async def test_a_message_that_go_cannot_read_does_not_block_its_group(
    go: Peer, app: ModuleType, broker: RedisBroker, redis_store: RedisStore, journal: Journal
) -> None:
    noise = Job("0-noise", "bundle", "default", b"1", State.AGGREGATING, group="bundle")
    await broker.enqueue([noise])
    redis_store.do("HSET", "asynq:{default}:t:0-noise", "msg", b"\xff\xff")
    async with app.jobs:
        await app.jobs.enqueue_many(app.bundle.call(number) for number in range(3))

    await broker.members("default", "bundle", limit=1)

    assert go.task("0-noise").state == "archived"
    with GoServer(go, journal, group_grace=1) as server:
        await server.started()
        assert items(await ran(journal, 3, "go")) == Counter(range(3))
