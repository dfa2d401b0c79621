"""Several processes on one file, and what is left when one of them is killed."""

import asyncio
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from atode.broker.sqlite import _writer
from atode.broker.sqlite.broker import SqliteBroker
from atode.job import Job
from atode.testing.clock import FakeClock

FAR_FUTURE = 4_000_000_000.0
JOBS = 3000

PRELUDE = """
import asyncio, itertools, sys
from atode.broker.sqlite.broker import SqliteBroker
from atode.job import Job
from atode.outcome import Settlement, Tally

path, name, *_ = sys.argv[1:]

def say(*words):
    print(*words, flush=True)

def jobs(numbers):
    return [Job(f"{name}-{n:06}", "demo", "default", b"{}") for n in numbers]

async def work(broker):
    claims = await broker.claim(["default"], limit=20, lease=600, worker=name)
    settlements = [Settlement(claim, None, Tally.SUCCESS) for claim in claims]
    assert await broker.settle(settlements) == []
    for claim in claims:
        say(claim.job.id)
    return claims

"""

PRODUCER = """
async def main(broker):
    for start in range(0, 3000, 50):
        assert await broker.enqueue(jobs(range(start, start + 50))) == []
"""

CONSUMER = """
async def main(broker):
    say("ready")
    while await work(broker) or not await broker.get("end", "end"):
        await broker.wait(["default"], at_most=0.1)
"""

ENDLESS_PRODUCER = """
async def main(broker):
    for start in itertools.count(0, 10):
        batch = jobs(range(start, start + 10))
        await broker.enqueue(batch)
        for job in batch:
            say(job.id)
"""

ENDLESS_CONSUMER = """
async def main(broker):
    while True:
        await work(broker)
"""

LISTENER = """
async def main(broker):
    say("ready")
    while not await work(broker):
        await broker.wait(["default"], at_most=600)
"""


@contextmanager
def running(program: str, path: Path, name: str) -> Generator[subprocess.Popen[str]]:
    text = f"{PRELUDE}{program}\nasyncio.run(main(SqliteBroker(path)))\n"
    with subprocess.Popen(
        [sys.executable, "-c", text, path, name], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def killed(process: subprocess.Popen[str]) -> list[str]:
    """The whole lines that it still said."""
    process.kill()
    rest, _ = process.communicate()
    return rest.split("\n")[:-1]


def is_whole(path: Path) -> bool:
    db = sqlite3.connect(path)
    answer = db.execute("PRAGMA integrity_check").fetchall()
    db.close()
    return answer == [("ok",)]


def many_jobs() -> list[Job]:
    return [Job(f"job-{n:06}", "demo", "default", b"{}") for n in range(JOBS)]


async def test_every_job_goes_to_exactly_one_of_several_processes(path: Path) -> None:
    broker = SqliteBroker(path)
    with ExitStack() as stack:
        names = ("consumer-1", "consumer-2", "consumer-3")
        consumers = [stack.enter_context(running(CONSUMER, path, name)) for name in names]
        for consumer in consumers:
            assert lines(consumer, 1) == ["ready"]

        producer = stack.enter_context(running(PRODUCER, path, "job"))
        assert await asyncio.to_thread(producer.wait, 60) == 0
        await broker.enqueue([Job("end", "demo", "end", b"{}")])
        said = [(await asyncio.to_thread(each.communicate, None, 60))[0] for each in consumers]

    done = Counter(line for text in said for line in text.split())
    assert [consumer.returncode for consumer in consumers] == [0, 0, 0]
    assert done == Counter(f"job-{n:06}" for n in range(JOBS))
    await broker.close()
    assert is_whole(path)


@pytest.mark.parametrize("after", [1, 37, 400])
async def test_killing_a_producer_loses_nothing_that_was_stored(path: Path, after: int) -> None:
    with running(ENDLESS_PRODUCER, path, "job") as producer:
        stored = lines(producer, after)
        stored += killed(producer)

    broker = SqliteBroker(path)
    claims = await broker.claim(["default"], limit=1_000_000, lease=10, worker="w1")

    ids = [claim.job.id for claim in claims]
    assert ids[: len(stored)] == stored
    # What was being stored came whole or not at all.
    assert len(ids) % 10 == 0
    await broker.close()
    assert is_whole(path)


@pytest.mark.parametrize("after", [1, 37, 400])
async def test_killing_a_consumer_loses_no_job(path: Path, after: int) -> None:
    broker = SqliteBroker(path, FakeClock(FAR_FUTURE))
    await broker.enqueue(many_jobs())
    with running(ENDLESS_CONSUMER, path, "victim") as consumer:
        done = lines(consumer, after)
        done += killed(consumer)

    expired = await broker.reap(["default"], limit=JOBS, lease=10, worker="w1")
    pending = await broker.claim(["default"], limit=JOBS, lease=10, worker="w1")

    left = [claim.job.id for claim in (*expired, *pending)]
    # At most one batch was settled without being said.
    assert 0 <= JOBS - len(left) - len(done) <= 20
    assert not set(left) & set(done)
    assert len(set(left)) == len(left)
    await broker.close()
    assert is_whole(path)


async def test_a_waiting_process_is_woken_by_another(path: Path) -> None:
    broker = SqliteBroker(path)
    await broker.open()
    with running(LISTENER, path, "listener") as listener:
        assert lines(listener, 1) == ["ready"]

        await broker.enqueue(many_jobs()[:1])

        assert await asyncio.to_thread(lines, listener, 1) == ["job-000000"]
    await broker.close()


def listens(path: Path) -> bool:
    db = sqlite3.connect(path)
    [count] = db.execute("SELECT count(*) FROM listeners").fetchone()
    db.close()
    return bool(count)


def no_ring(*_: object) -> None: ...


async def test_a_lost_ring_only_makes_a_wait_longer(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_writer, "ring_up", no_ring)
    broker = SqliteBroker(path)
    other = broker.sibling()
    await broker.open()
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=600))
    while not listens(path):
        await asyncio.sleep(0.001)

    await other.enqueue(many_jobs()[:1])

    await asyncio.wait_for(waiting, 30)
    await other.close()
    await broker.close()
