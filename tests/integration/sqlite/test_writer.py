import asyncio
import gc
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from atode.broker.sqlite import _store
from atode.broker.sqlite.broker import SqliteBroker
from atode.errors import BrokerRefused, BrokerUnavailable
from atode.job import State
from atode.outcome import Settlement, Tally
from atode.testing.clock import FakeClock
from tests.integration.plain_job import a_job


def locked(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("BEGIN IMMEDIATE")
    return db


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "atode-sqlite"]


async def test_overlapping_calls_are_all_stored_in_their_order(path: Path) -> None:
    broker = SqliteBroker(path)

    await asyncio.gather(*(broker.enqueue([a_job(f"{n:04}")]) for n in range(500)))
    claims = await broker.claim(["default"], limit=500, lease=10, worker="w1")

    assert [claim.job.id for claim in claims] == [f"{n:04}" for n in range(500)]
    await broker.close()


async def test_a_call_that_fails_does_not_fail_those_that_share_its_transaction(
    path: Path,
) -> None:
    broker = SqliteBroker(path)
    await broker.open()
    # Held up by the lock, the calls pile up into one group.
    other = locked(path)
    calls = [
        asyncio.ensure_future(broker.enqueue([a_job(name)]))
        for name in ("first", "lone surrogate \ud800", "last")
    ]
    calls.append(asyncio.ensure_future(broker.enqueue([a_job("big", max_retry=2**70)])))
    await asyncio.sleep(0)
    other.rollback()
    other.close()

    first, broken, last, big = await asyncio.gather(*calls, return_exceptions=True)

    assert (first, last) == ([], [])
    assert isinstance(broken, BrokerRefused)
    assert isinstance(big, BrokerRefused)
    assert await broker.get("default", "first") is not None
    assert await broker.get("default", "last") is not None
    await broker.close()


async def test_a_failing_command_leaves_nothing_behind(path: Path) -> None:
    broker = SqliteBroker(path)

    with pytest.raises(BrokerRefused):
        await broker.enqueue([a_job("good"), a_job("bad \ud800")])

    assert await broker.get("default", "good") is None
    await broker.close()


async def test_a_lock_held_by_another_process_is_waited_out(path: Path) -> None:
    broker = SqliteBroker(path)
    await broker.open()
    other = locked(path)
    threading.Timer(1.0, other.rollback).start()

    refused = await broker.enqueue([a_job("patient")])

    assert refused == []
    other.close()
    await broker.close()


async def test_a_lock_that_stays_is_an_outage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_store, "PATIENCE", 0.1)
    broker = SqliteBroker(path)
    await broker.open()
    other = locked(path)

    with pytest.raises(BrokerUnavailable, match="locked by another process"):
        await broker.enqueue([a_job("late")])

    other.rollback()
    other.close()
    assert await broker.enqueue([a_job("late")]) == []
    await broker.close()


async def test_reading_goes_on_while_another_process_writes(path: Path) -> None:
    broker = SqliteBroker(path)
    await broker.enqueue([a_job("a")])
    other = locked(path)

    job = await broker.get("default", "a")

    assert job == a_job("a")
    other.rollback()
    other.close()
    await broker.close()


async def test_claims_that_nobody_awaits_any_more_are_given_back(path: Path) -> None:
    broker = SqliteBroker(path)
    await broker.enqueue([a_job("a"), a_job("b")])

    for turns in range(6):
        claiming = asyncio.ensure_future(broker.claim(["default"], limit=2, lease=9, worker="w1"))
        for _ in range(turns):
            await asyncio.sleep(0)
        claiming.cancel()
        await asyncio.wait([claiming])
        await broker.get("default", "a")
        await asyncio.sleep(0)

    async with asyncio.timeout(20):
        while not (claims := await broker.claim(["default"], limit=2, lease=9, worker="w2")):
            await asyncio.sleep(0.001)
    assert [claim.job.id for claim in claims] == ["a", "b"]
    await broker.close()


async def test_released_jobs_keep_their_order(path: Path) -> None:
    broker = SqliteBroker(path)
    await broker.enqueue([a_job(str(n)) for n in range(6)])
    claims = await broker.claim(["default"], limit=4, lease=10, worker="w1")

    await broker.settle(
        [
            Settlement(claim, claim.job._replace(state=State.PENDING), Tally.NOTHING)
            for claim in claims
        ]
    )

    again = await broker.claim(["default"], limit=6, lease=10, worker="w1")
    assert [claim.job.id for claim in again] == list("012345")
    await broker.close()


async def test_instants_and_texts_come_back_exactly(path: Path) -> None:
    clock = FakeClock(1_700_000_001.0)
    broker = SqliteBroker(path, clock)
    job = a_job(
        'odd " id \0 あ',
        task="tab\there",
        due=1_700_000_000.1234567,
        timeout=0.1 + 0.2,
        deadline=1_800_000_000.7654321,
        last_failed_at=1_699_999_999.9999998,
        headers={'"': "\0", "あ": "😀"},
        error="line\nline \x01 ' \" \\ 落ちた",
    )

    await broker.enqueue([job])
    await broker.promote(["default"])
    [claim] = await broker.claim(["default"], limit=1, lease=1, worker="w1")

    assert claim.job == job._replace(state=State.ACTIVE)
    await broker.close()


@pytest.mark.parametrize("size", [0, 1, 4096, 4097])
async def test_payloads_of_any_size_come_back(path: Path, size: int) -> None:
    broker = SqliteBroker(path)
    await broker.enqueue([a_job("a", payload=os.urandom(size)), a_job("b")])

    claims = await broker.claim(["default"], limit=2, lease=1, worker="w1")

    assert [len(claim.job.payload) for claim in claims] == [size, 2]
    await broker.close()


async def test_nothing_is_claimed_from_a_paused_queue(path: Path) -> None:
    broker = SqliteBroker(path)
    await broker.enqueue([a_job("a"), a_job("b", queue="other")])
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("INSERT INTO paused VALUES ('default')")
    db.close()

    claims = await broker.claim(["default", "other"], limit=2, lease=1, worker="w1")

    assert [claim.job.id for claim in claims] == ["b"]
    await broker.close()


async def test_endings_are_counted_per_day(path: Path) -> None:
    broker = SqliteBroker(path, FakeClock(1_900_000_000.0))
    await broker.enqueue([a_job(str(n)) for n in range(3)])
    claims = await broker.claim(["default"], limit=3, lease=10, worker="w1")

    tallies = (Tally.SUCCESS, Tally.SUCCESS, Tally.FAILURE)
    for claim, tally in zip(claims, tallies, strict=True):
        await broker.settle([Settlement(claim, None, tally)])

    db = sqlite3.connect(path)
    assert db.execute("SELECT * FROM tallies").fetchall() == [("default", "2030-03-17", 2, 1)]
    db.close()
    await broker.close()


async def test_the_archive_keeps_the_newest_jobs_only(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from atode.broker.sqlite import _upkeep

    monkeypatch.setattr(_upkeep, "ARCHIVE_SIZE", 5)
    monkeypatch.setattr(_upkeep, "MOST_AT_ONCE", 3)
    clock = FakeClock()
    broker = SqliteBroker(path, clock)
    await broker.enqueue([a_job(str(n)) for n in range(15)])
    claims = await broker.claim(["default"], limit=15, lease=10, worker="w1")
    await broker.settle(
        [
            Settlement(
                claim,
                claim.job._replace(state=State.ARCHIVED, last_failed_at=clock.now() + n),
                Tally.FAILURE,
            )
            for n, claim in enumerate(claims)
        ]
    )

    gone = await broker.prune(["default"])

    assert gone == 10
    assert await broker.get("default", "9") is None
    assert await broker.get("default", "10") is not None
    await broker.close()


async def test_a_closed_broker_leaves_no_thread(path: Path) -> None:
    before = threads()
    broker = SqliteBroker(path)
    await broker.open()

    await broker.close()

    assert threads() == before


async def test_a_forgotten_broker_leaves_no_thread(path: Path) -> None:
    before = threads()
    broker = SqliteBroker(path)
    await broker.enqueue([a_job("kept")])
    await broker.wait(["default"], at_most=10)
    [thread] = [thread for thread in threads() if thread not in before]

    del broker
    gc.collect()
    await asyncio.to_thread(thread.join, 30)

    assert not thread.is_alive()


def test_a_program_that_does_not_close_its_broker_ends(path: Path) -> None:
    program = """
import asyncio, sys
from atode.broker.sqlite.broker import SqliteBroker
from atode.job import Job

async def main():
    global broker
    broker = SqliteBroker(sys.argv[1])
    await broker.enqueue([Job("a", "demo", "default", b"{}")])

asyncio.run(main())
"""

    ended = subprocess.run(
        [sys.executable, "-c", program, path], timeout=60, capture_output=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, b"")
    db = sqlite3.connect(path)
    assert db.execute("SELECT id FROM jobs").fetchall() == [("a",)]
    db.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_uses_its_own_connection(path: Path) -> None:
    program = """
import asyncio, os, sys
from atode.broker.sqlite.broker import SqliteBroker
from atode.job import Job

broker = SqliteBroker(sys.argv[1])

async def store(id):
    assert await broker.enqueue([Job(id, "demo", "default", b"{}")]) == []

asyncio.run(store("parent"))
if child := os.fork():
    assert os.waitpid(child, 0)[1] == 0
    asyncio.run(store("parent again"))
    asyncio.run(broker.close())
else:
    asyncio.run(store("child"))
    os._exit(0)
"""

    ended = subprocess.run(
        [sys.executable, "-c", program, path], timeout=60, capture_output=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, b"")
    db = sqlite3.connect(path)
    ids = {row[0] for row in db.execute("SELECT id FROM jobs")}
    assert ids == {"parent", "child", "parent again"}
    db.close()
