"""Unique jobs and operator actions in one file: what the contract cannot see from outside."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from atode.broker.protocol import Refused, Which
from atode.broker.sqlite import _operations, _upkeep
from atode.broker.sqlite._options import Options
from atode.broker.sqlite._transaction import Transaction
from atode.broker.sqlite._writer import Writer
from atode.broker.sqlite.broker import SqliteBroker
from atode.clock import Clock
from atode.job import ARCHIVE_AGE, State
from atode.outcome import Failed, Snoozed, Succeeded
from atode.testing.clock import FakeClock
from atode.testing.jobs import a_job, end, ids, take


@pytest.fixture
async def broker(path: Path, clock: FakeClock) -> AsyncIterator[SqliteBroker]:
    broker = SqliteBroker(path, clock)
    await broker.open()
    yield broker
    await broker.close()


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_operations, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(_upkeep, "MOST_AT_ONCE", 3)


def change(path: Path, statement: str) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(statement)
    db.close()


def rows(path: Path, table: str) -> int:
    db = sqlite3.connect(path)
    [count] = db.execute(f"SELECT count(*) FROM {table}").fetchone()
    db.close()
    return int(count)


# unique jobs


async def test_jobs_that_are_not_unique_never_look_into_locks(
    broker: SqliteBroker, path: Path, clock: FakeClock
) -> None:
    change(path, "DROP TABLE locks")

    await broker.enqueue([a_job(retention=60), a_job(), a_job()])
    kept, done, failed = await take(broker)
    await end(broker, kept, Succeeded(), clock)
    await end(broker, done, Succeeded(), clock)
    await end(broker, failed, Failed("x"), clock)

    assert (await broker.counts("default"))[State.COMPLETED] == 1


async def test_refusals_come_in_the_order_of_the_jobs(broker: SqliteBroker) -> None:
    await broker.enqueue([a_job(id="taken"), a_job(id="locker", unique_for=60)])
    jobs = [
        a_job(id="taken"),
        a_job(id="twin", unique_for=60),
        a_job(id="free"),
        a_job(id="taken", payload=b"other", unique_for=60),
        a_job(id="free"),
    ]

    refused = await broker.enqueue(jobs)

    assert refused == [
        Refused(jobs[0], "taken"),
        Refused(jobs[1], "locker"),
        Refused(jobs[3], "taken"),
        Refused(jobs[4], "free"),
    ]


async def test_an_id_that_the_same_call_takes_leaves_no_lock(
    broker: SqliteBroker, path: Path
) -> None:
    refused = await broker.enqueue([a_job(id="a"), a_job(id="a", unique_for=60)])

    assert [refusal.holder for refusal in refused] == ["a"]
    assert rows(path, "locks") == 0


async def test_a_locked_job_does_not_take_its_id(broker: SqliteBroker) -> None:
    await broker.enqueue([a_job(id="locker", unique_for=60)])

    refused = await broker.enqueue(
        [a_job(id="a", unique_for=60), a_job(id="a", payload=b"other", unique_for=60)]
    )

    assert [refusal.holder for refusal in refused] == ["locker"]
    assert await broker.get("default", "a") is not None


async def test_of_many_that_do_the_same_at_once_one_is_stored(broker: SqliteBroker) -> None:
    brokers = [broker.sibling() for _ in range(4)]

    calls = [each.enqueue([a_job(unique_for=60)]) for each in brokers for _ in range(25)]
    refused = await asyncio.gather(*calls)

    assert sum(len(each) for each in refused) == 99
    [job] = await broker.find("default", State.PENDING)
    assert {refusal.holder for each in refused for refusal in each} == {job.id}
    for each in brokers:
        await each.close()


async def test_a_job_of_a_dead_worker_unlocks_when_it_succeeds(
    broker: SqliteBroker, path: Path, clock: FakeClock
) -> None:
    await broker.enqueue([a_job(unique_for=3600)])
    await take(broker)
    clock.advance(60)

    [claim] = await broker.reap(["default"], limit=1, lease=10, worker="w2")
    await end(broker, claim, Succeeded(), clock)

    assert rows(path, "locks") == 0


@pytest.mark.usefixtures("small_parts")
async def test_locks_that_have_ended_are_pruned(
    broker: SqliteBroker, path: Path, clock: FakeClock
) -> None:
    await broker.enqueue([a_job(payload=b"%d" % n, unique_for=1) for n in range(10)])
    await broker.enqueue([a_job(payload=b"long", unique_for=60)])
    clock.advance(2)

    gone = await broker.prune(["default"])

    assert gone == 0
    assert rows(path, "locks") == 1


async def test_many_jobs_unlock_at_once(broker: SqliteBroker, path: Path, clock: FakeClock) -> None:
    await broker.enqueue([a_job(payload=b"%d" % n, unique_for=60) for n in range(300)])

    assert await broker.delete("default", State.PENDING) == 300

    assert rows(path, "locks") == 0


# operators


@pytest.mark.usefixtures("small_parts")
async def test_a_whole_state_goes_in_parts(broker: SqliteBroker, clock: FakeClock) -> None:
    names = [str(n) for n in range(10)]
    await broker.enqueue([a_job(id=name, due=clock.now() + 9) for name in names])

    assert await broker.run("default", State.SCHEDULED) == 10
    assert ids(await broker.find("default", State.PENDING)) == names
    assert await broker.archive("default", State.PENDING) == 10
    assert await broker.run("default", names[::-1]) == 10
    assert ids(await broker.find("default", State.PENDING)) == names[::-1]
    assert await broker.delete("default", State.PENDING) == 10
    assert sum((await broker.counts("default")).values()) == 0


@pytest.mark.usefixtures("small_parts")
async def test_jobs_that_keep_coming_do_not_make_an_action_endless(
    broker: SqliteBroker, path: Path, clock: FakeClock
) -> None:
    def refill(tx: Transaction, *, clock: Clock, queue: str, which: Which, limit: int) -> int:
        return limit

    await broker.enqueue([a_job() for _ in range(8)])
    writer = Writer(str(path), Options())

    number = await _operations.in_parts(writer, refill, clock, "default", State.PENDING)

    assert number == 8
    await writer.close()


async def test_nobody_is_rung_for_a_paused_queue(broker: SqliteBroker, path: Path) -> None:
    await broker.pause("default")
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
    while rows(path, "listeners") == 0:
        await asyncio.sleep(0.001)

    await broker.enqueue([a_job()])

    assert rows(path, "listeners") == 1
    await broker.resume("default")
    await waiting


async def test_a_job_that_was_archived_by_hand_stays_its_time(
    broker: SqliteBroker, clock: FakeClock
) -> None:
    await broker.enqueue([a_job(id="never failed")])
    await broker.archive("default", ["never failed"])
    clock.advance(ARCHIVE_AGE - 1)

    assert await broker.prune(["default"]) == 0
    clock.advance(2)
    assert await broker.prune(["default"]) == 1


async def test_a_promoted_job_waits_since_its_promotion(
    broker: SqliteBroker, clock: FakeClock
) -> None:
    await broker.enqueue([a_job(due=clock.now() + 100)])
    clock.advance(150)
    await broker.promote(["default"])
    promoted = clock.now()
    clock.advance(5)

    stats = await broker.stats("default")

    assert stats is not None
    assert stats.waiting_since == promoted


@pytest.mark.usefixtures("small_parts")
async def test_what_waits_is_promoted_by_its_instant_whatever_its_state(
    broker: SqliteBroker, clock: FakeClock
) -> None:
    start = clock.now()
    await broker.enqueue([a_job(id=f"retry {n}") for n in range(4)])
    for claim in await take(broker):
        await end(broker, claim, Snoozed(10), clock)
        clock.advance(10)
    await broker.enqueue([a_job(id=f"scheduled {n}", due=start + 15 + 10 * n) for n in range(4)])
    clock.advance(20)

    while await broker.promote(["default"]) is not None:
        pass

    names = [f"{state} {n}" for n in range(4) for state in ("retry", "scheduled")]
    assert ids(await broker.find("default", State.PENDING)) == names


@pytest.mark.usefixtures("small_parts")
async def test_nothing_is_left_of_a_removed_queue(
    broker: SqliteBroker, path: Path, clock: FakeClock
) -> None:
    await broker.enqueue([a_job(payload=b"%d" % n, unique_for=60) for n in range(10)])
    [claim] = await take(broker, limit=1)
    await end(broker, claim, Failed("x"), clock)
    await broker.pause("default")

    assert await broker.remove("default", force=True)

    tables = ("jobs", "locks", "queues", "paused", "tallies")
    assert [rows(path, table) for table in tables] == [0] * 5


@pytest.mark.usefixtures("small_parts")
async def test_a_removal_that_broke_off_is_repeated(broker: SqliteBroker, path: Path) -> None:
    await broker.enqueue([a_job() for _ in range(10)])
    begin = _operations._begin_removal  # pyright: ignore[reportPrivateUsage]
    writer = Writer(str(path), Options())
    await writer.call(partial(begin, queue="default", force=True))
    await writer.close()

    assert rows(path, "jobs") == 7
    assert await take(broker) == []
    assert await broker.remove("default", force=True)
    await broker.enqueue([a_job(id="new")])
    assert ids(await take(broker)) == ["new"]
