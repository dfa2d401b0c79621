"""Queues move between all kinds of stores, with all that their jobs have."""

import asyncio
import math
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

from atode.broker.memory import MemoryBroker
from atode.broker.postgres.broker import PostgresBroker
from atode.broker.protocol import Broker
from atode.broker.redis.broker import RedisBroker
from atode.broker.sqlite.broker import SqliteBroker
from atode.clock import SystemClock
from atode.errors import BrokerRefused
from atode.job import Job, State
from atode.mover import ORDER, Mover, Report
from atode.outcome import Cancelled, Failed, Outcome, Snoozed, Succeeded
from atode.testing.clock import FakeClock
from atode.testing.jobs import a_job, end, ids, take
from atode.transfer import Moved
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.servers.redis_cluster import RedisCluster
from tests.servers.redis_store import RedisStore

KINDS = ["memory", "sqlite", "redis", "cluster", "postgres"]
PAIRS = [("sqlite", "redis"), ("redis", "sqlite"), ("postgres", "sqlite"), ("redis", "postgres")]


@pytest.fixture(scope="module")
def servers() -> Iterator[list[RedisServer]]:
    with RedisServer() as one, RedisServer() as two:
        yield [one, two]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    with RedisCluster() as cluster:
        yield cluster


class Place(NamedTuple):
    kind: str
    broker: Broker


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


Build = Callable[[str], Place]


@pytest.fixture
async def build(
    request: pytest.FixtureRequest, clock: FakeClock, tmp_path: Path
) -> AsyncIterator[Build]:
    built: list[Place] = []

    def made(kind: str) -> Broker:
        if kind == "memory":
            return MemoryBroker(clock)
        if kind == "sqlite":
            return SqliteBroker(tmp_path / f"{len(built)}.db", clock)
        if kind == "redis":
            server: RedisServer = request.getfixturevalue("servers")[len(built)]
            with RedisStore(server.url) as store:
                store.do("FLUSHALL")
            return RedisBroker(server.url, clock)
        if kind == "postgres":
            postgres: PostgresServer = request.getfixturevalue("postgres_server")
            return PostgresBroker(postgres.new_database(), clock)
        cluster: RedisCluster = request.getfixturevalue("cluster")
        cluster.flush()
        return RedisBroker(cluster.url, clock)

    def place(kind: str) -> Place:
        built.append(Place(kind, made(kind)))
        return built[-1]

    yield place
    for each in built:
        await each.broker.close()


async def moved(old: Place, new: Place, clock: FakeClock, *queues: str) -> Sequence[Report]:
    mover = Mover(old.broker, new.broker, clock, lambda progress: None)
    return await mover.move(queues or await old.broker.queues(), wait=0)


async def fill(broker: Broker, clock: FakeClock) -> None:
    """Store jobs in every state, with everything that a job can have."""
    broken = ["fails", "dies", "cancelled", "snoozes"]
    await broker.enqueue([a_job(id=name, max_retry=int(name != "dies")) for name in broken])
    outcomes: list[Outcome] = [
        Failed("wörks not\n\n…"),
        Failed("dead"),
        Cancelled(),
        Snoozed(90.125),
    ]
    for claim, outcome in zip(await take(broker), outcomes, strict=True):
        await end(broker, claim, outcome, clock)
        clock.advance(1)
    await broker.enqueue([a_job(id="done", retention=600), a_job(id="empty", retention=60)])
    for claim, result in zip(await take(broker), (b'{"it":[1,2]}', b""), strict=True):
        await end(broker, claim, Succeeded(result), clock)
    await broker.enqueue(
        [
            a_job(id="p1", unique_for=3600),
            a_job(id="p2", payload=b"\x00\xff not JSON"),
            a_job(id="p3")._replace(timeout=0.0, deadline=clock.now() + 999, headers={}),
            a_job(id="s1", due=clock.now() + 7.625, payload=b"7", unique_for=60),
            a_job(id="s2", due=clock.now() + 30),
            a_job(id="g1")._replace(state=State.AGGREGATING, group="mail"),
            a_job(id="g2", due=clock.now() + 60)._replace(group="mail"),
        ]
    )
    clock.advance(2.5)


async def seen(broker: Broker) -> dict[State, list[Job]]:
    """All jobs by state, in their order, with what is comparable between stores."""
    found: dict[State, list[Job]] = {}
    for state in ORDER:
        jobs = await broker.find("default", state, limit=1000)
        found[state] = [_comparable(job) for job in jobs]
    return found


def _comparable(job: Job) -> Job:
    waits = job.state in (State.SCHEDULED, State.RETRY)
    # asynq's format keeps the second of what is past; and a due instant only where it matters.
    return job._replace(
        due=job.due if waits else 0.0,
        completed_at=float(math.floor(job.completed_at)),
        last_failed_at=float(math.floor(job.last_failed_at)),
        headers=dict(job.headers),
    )


@pytest.mark.parametrize(
    ("source", "target"),
    [pair for pair in product(KINDS, KINDS) if pair != ("cluster", "cluster")],
)
async def test_jobs_arrive_as_they_were(
    build: Build, clock: FakeClock, source: str, target: str
) -> None:
    old, new = build(source), build(target)
    await fill(old.broker, clock)
    before = await seen(old.broker)
    waiting = await old.broker.stats("default")

    [report] = await moved(old, new, clock)

    assert report.is_complete
    assert await seen(new.broker) == before
    assert not any((await old.broker.counts("default")).values())
    assert {state: len(jobs) for state, jobs in before.items() if jobs} == report.moved
    after = await new.broker.stats("default")
    assert waiting
    assert after
    assert after.waiting_since == waiting.waiting_since


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_a_lock_goes_on_for_the_rest_of_its_time(
    build: Build, clock: FakeClock, source: str, target: str
) -> None:
    old, new = build(source), build(target)
    await fill(old.broker, clock)
    await old.broker.start_giving("default", mover="look")
    before = await _locks(old.broker, "look")

    await moved(old, new, clock)

    await new.broker.start_giving("default", mover="look")
    after = await _locks(new.broker, "look")
    assert after.keys() == before.keys() == {"p1", "s1"}
    for job_id, left in before.items():
        # Redis measures by its own clock.
        assert 0 <= left - after[job_id] < 30
    await new.broker.resume("default")
    assert [each.holder for each in await new.broker.enqueue([a_job(unique_for=9)])] == ["p1"]
    # In the old store the same may be done again.
    assert list(await old.broker.enqueue([a_job(unique_for=9)])) == []


async def _locks(broker: Broker, mover: str) -> dict[str, float]:
    found: list[Moved] = []
    for state in ORDER:
        found += await broker.give("default", state, mover=mover)
    return {each.job.id: each.lock_left for each in found if each.lock_left}


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_many_jobs_keep_their_order_and_run_once(
    build: Build, clock: FakeClock, source: str, target: str
) -> None:
    old, new = build(source), build(target)
    jobs = [a_job() for _ in range(1700)]
    await old.broker.enqueue(jobs)

    [report] = await moved(old, new, clock)

    assert report.moved == {State.PENDING: 1700}
    assert ids(await take(new.broker, limit=2000)) == ids(jobs)


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_what_producers_store_meanwhile_moves_too(
    build: Build, clock: FakeClock, source: str, target: str
) -> None:
    old, new = build(source), build(target)
    await old.broker.enqueue([a_job(id=f"first-{n}") for n in range(800)])
    late: list[Job] = []

    async def produce() -> None:
        for n in range(200):
            job = a_job(id=f"late-{n}", due=clock.now() + 60 if n % 2 else 0)
            await old.broker.enqueue([job])
            late.append(job)

    producing = asyncio.create_task(produce())
    await moved(old, new, clock)
    await producing
    [report] = await moved(old, new, clock)

    assert report.is_complete
    counts = await new.broker.counts("default")
    assert counts[State.PENDING] == 900
    assert counts[State.SCHEDULED] == 100


async def test_fractions_that_redis_cannot_keep_are_counted(build: Build, clock: FakeClock) -> None:
    old, new = build("sqlite"), build("redis")
    await old.broker.enqueue([a_job(id="odd")._replace(timeout=1.5), a_job(id="even")])

    [report] = await moved(old, new, clock)

    assert report.rounded == 1
    job = await new.broker.get("default", "odd")
    assert job
    assert job.timeout == 2.0


async def test_what_redis_cannot_hold_at_all_stays_and_is_named(
    build: Build, clock: FakeClock
) -> None:
    old, new = build("sqlite"), build("redis")
    await old.broker.enqueue([a_job(id="vast")._replace(max_retry=2**40), a_job(id="fine")])

    [report] = await moved(old, new, clock)

    [left] = report.left
    assert left.job_id == "vast"
    assert "asynq's format cannot hold it" in left.reason
    assert ids(await old.broker.find("default", State.PENDING)) == ["vast"]
    assert ids(await new.broker.find("default", State.PENDING)) == ["fine"]


async def test_what_postgres_cannot_hold_stays_and_is_named(build: Build, clock: FakeClock) -> None:
    old, new = build("sqlite"), build("postgres")
    await old.broker.enqueue(
        [
            a_job(id="vast")._replace(max_retry=2**40),
            a_job(id="far", due=1e15),
            a_job(id="nul")._replace(task="de\0mo"),
            a_job(id="member", group="c\0d"),
            a_job(id="fine"),
        ]
    )

    [report] = await moved(old, new, clock)

    assert {left.job_id: left.reason for left in report.left} == {
        "vast": "PostgreSQL cannot hold it: max_retry is 1099511627776, beyond 32 bits",
        "far": "PostgreSQL cannot hold it: 1000000000000000.0 is beyond its calendar",
        "nul": "PostgreSQL cannot hold it: its task or what it locks has a NUL",
    }
    assert ids(await new.broker.find("default", State.PENDING)) == ["fine"]
    assert ids(await new.broker.find("default", State.AGGREGATING)) == ["member"]
    assert [group.name for group in await new.broker.groups(["default"])] == ["c\0d"]


async def test_broken_jobs_in_redis_stay_and_are_named(
    build: Build, clock: FakeClock, servers: list[RedisServer]
) -> None:
    old, new = build("redis"), build("sqlite")
    await old.broker.enqueue([a_job(id=name) for name in ("a", "b", "c", "d", "e")])
    with RedisStore(servers[0].url) as store:
        store.do("HSET", "asynq:{default}:t:a", "msg", b"\xff\xff")
        store.do("DEL", "asynq:{default}:t:c")
        store.do("SET", "asynq:{default}:t:c", "no hash")
        store.do("DEL", "asynq:{default}:t:d")

        [report] = await moved(old, new, clock)

        assert {left.job_id: left.reason for left in report.left} == {
            "a": "the stored message is not an asynq TaskMessage",
            "c": "its key holds no message",
        }
        # An id without a job is none.
        assert store.do("LRANGE", "asynq:{default}:pending", 0, -1) == [b"c", b"a"]
    assert ids(await new.broker.find("default", State.PENDING)) == ["b", "e"]


async def test_broken_jobs_in_a_file_stay_and_are_named(
    build: Build, clock: FakeClock, tmp_path: Path
) -> None:
    old, new = build("sqlite"), build("memory")
    await old.broker.enqueue([a_job(id=name) for name in ("a", "b", "c", "d")])
    with closing(sqlite3.connect(tmp_path / "0.db", isolation_level=None)) as db:
        db.execute("UPDATE jobs SET error = CAST(x'ff' AS TEXT) WHERE id = 'a'")
        db.execute("UPDATE jobs SET headers = '[' WHERE id = 'b'")
        db.execute("UPDATE jobs SET due = 'soon' WHERE id = 'c'")

    [report] = await moved(old, new, clock)

    assert {left.job_id: left.reason.partition(":")[0] for left in report.left} == {
        "a": "its stored form is broken",
        "b": "stored headers are not JSON",
        "c": "its stored form is broken",
    }
    assert ids(await new.broker.find("default", State.PENDING)) == ["d"]


async def test_members_of_groups_move_from_redis_to_redis(
    build: Build, clock: FakeClock, servers: list[RedisServer]
) -> None:
    old, new = build("redis"), build("redis")
    prefix = "asynq:{default}:"
    await put_in_a_group(old.broker, servers[0], "member")

    await moved(old, new, clock)

    with RedisStore(servers[1].url) as store:
        assert store.do("ZSCORE", f"{prefix}g:mail", "member") == 1_899_999_999
        assert set(store.do("SMEMBERS", f"{prefix}groups")) == {b"mail"}
        assert store.do("HGET", f"{prefix}t:member", "group") == b"mail"
    with RedisStore(servers[0].url) as store:
        found = {key.removeprefix(prefix.encode()) for key in store.do("KEYS", "*")}
        assert found == {b"asynq:queues", b"paused", b"move"}


async def test_members_of_groups_move_with_their_group(
    build: Build, clock: FakeClock, servers: list[RedisServer]
) -> None:
    old, new = build("redis"), build("sqlite")
    await put_in_a_group(old.broker, servers[0], "member")
    with RedisStore(servers[0].url) as store:
        message = store.do("HGET", "asynq:{default}:t:member", "msg")
        group_key = b"\x72\x04mail"  # field 14
        store.do("HSET", "asynq:{default}:t:member", "msg", message + group_key)

    [report] = await moved(old, new, clock)

    assert report.moved[State.AGGREGATING] == 1
    [group] = await new.broker.groups(["default"])
    assert (group.name, group.size, group.oldest) == ("mail", 1, 1_899_999_999)


async def put_in_a_group(broker: Broker, server: RedisServer, job_id: str) -> None:
    """As a Go client does."""
    await broker.enqueue([a_job(id=job_id), a_job(id="alone")])
    prefix = "asynq:{default}:"
    with RedisStore(server.url) as store:
        store.do("LREM", f"{prefix}pending", 0, job_id)
        store.do("HSET", f"{prefix}t:{job_id}", "state", "aggregating", "group", "mail")
        store.do("ZADD", f"{prefix}g:mail", 1_899_999_999, job_id)
        store.do("SADD", f"{prefix}groups", "mail")


async def test_a_message_keeps_what_a_newer_asynq_wrote_into_it(
    build: Build, clock: FakeClock, servers: list[RedisServer]
) -> None:
    old, new = build("redis"), build("redis")
    await old.broker.enqueue([a_job(id="a")])
    key = "asynq:{default}:t:a"
    with RedisStore(servers[0].url) as store:
        message = store.do("HGET", key, "msg") + b"\xf2\x3f\x03new"
        store.do("HSET", key, "msg", message)

    await moved(old, new, clock)

    with RedisStore(servers[1].url) as store:
        assert store.do("HGET", key, "msg") == message


async def test_a_job_that_was_cancelled_in_the_hands_of_a_go_worker_does_not_run(
    build: Build, clock: FakeClock, servers: list[RedisServer]
) -> None:
    old, new = build("redis"), build("sqlite")
    await old.broker.enqueue([a_job(id="a")])
    with RedisStore(servers[0].url) as store:
        store.do("HSET", "asynq:{default}:t:a", "cancelled", str(clock.now() - 3))

    await moved(old, new, clock)

    [job] = await new.broker.find("default", State.ARCHIVED)
    assert (job.error, job.last_failed_at) == ("cancelled", clock.now() - 3)


async def test_nothing_of_a_move_remains_in_redis(
    build: Build, clock: FakeClock, servers: list[RedisServer]
) -> None:
    old, new = build("redis"), build("redis")
    await old.broker.enqueue([a_job()])

    await moved(old, new, clock)

    await old.broker.resume("default")

    for server in servers:
        with RedisStore(server.url) as store:
            keys = set(store.do("KEYS", "*"))
            assert not {key for key in keys if key.endswith((b":move", b":received"))}


async def test_two_movers_at_once_double_nothing(build: Build, clock: FakeClock) -> None:
    old, new = build("sqlite"), build("redis")
    jobs = [a_job() for _ in range(2000)]
    await old.broker.enqueue(jobs)

    both = await asyncio.gather(
        moved(old, new, clock), moved(old, new, clock), return_exceptions=True
    )
    await moved(old, new, clock)

    stopped = [each for each in both if isinstance(each, BaseException)]
    assert stopped
    assert all(isinstance(each, BrokerRefused) for each in stopped)
    assert ids(await take(new.broker, limit=3000)) == ids(jobs)


async def test_jobs_that_are_running_move_when_they_have_ended(
    build: Build, tmp_path: Path
) -> None:
    clock = SystemClock()
    old, new = SqliteBroker(tmp_path / "old.db", clock), MemoryBroker(clock)
    await old.enqueue([a_job(id="a", retention=600), a_job(id="b")])
    first, second = await take(old)

    async def work() -> None:
        await asyncio.sleep(0.3)
        await end(old, first, Succeeded(b"1"), clock)
        await end(old, second, Failed("x"), clock)

    working = asyncio.create_task(work())
    [report] = await Mover(old, new, clock, lambda progress: None).move(["default"], wait=30)
    await working

    assert report.is_complete
    assert report.moved == {State.COMPLETED: 1, State.RETRY: 1}
    job = await new.get("default", "a")
    assert job
    assert job.result == b"1"
    await old.close()
