import asyncio
import socket
import sqlite3
import sys
from pathlib import Path

import pytest

from atode.broker.protocol import Cancellation
from atode.broker.sqlite import broker as module
from atode.broker.sqlite.broker import SqliteBroker
from atode.testing.clock import FakeClock
from tests.integration.plain_job import a_job

NOW = 1_900_000_000.0


@pytest.fixture(autouse=True)
def no_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rings alone must do."""
    monkeypatch.setattr(module, "_LOOK_EVERY", 3600.0)


@pytest.fixture
def broker(path: Path) -> SqliteBroker:
    return SqliteBroker(path, FakeClock(NOW))


def listeners(path: Path) -> list[tuple[str, str]]:
    db = sqlite3.connect(path)
    rows = db.execute("SELECT kind, queue FROM listeners ORDER BY kind, queue").fetchall()
    db.close()
    return rows


async def is_asleep(path: Path, count: int) -> None:
    while len(listeners(path)) < count:
        await asyncio.sleep(0.001)


async def test_each_of_many_waits_in_a_row_is_woken(broker: SqliteBroker) -> None:
    other = broker.sibling()

    for n in range(50):
        waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
        await asyncio.sleep(0)
        await other.enqueue([a_job(str(n))])
        await waiting
        assert await broker.claim(["default"], limit=5, lease=10, worker="w1")

    await other.close()
    await broker.close()


async def test_a_commit_of_another_process_wakes(broker: SqliteBroker, path: Path) -> None:
    await broker.open()
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=3600))
    await is_asleep(path, 1)

    program = (
        "import asyncio, sys\n"
        "from atode.broker.sqlite.broker import SqliteBroker\n"
        "from atode.job import Job\n"
        "broker = SqliteBroker(sys.argv[1])\n"
        "asyncio.run(broker.enqueue([Job('a', 'demo', 'default', b'{}')]))\n"
    )
    command = sys.executable, "-c", program, str(path)
    other = await asyncio.create_subprocess_exec(*command)
    assert await other.wait() == 0
    await waiting

    assert await broker.claim(["default"], limit=5, lease=10, worker="w1")
    await broker.close()


async def test_all_who_wait_are_woken(broker: SqliteBroker, path: Path) -> None:
    others = [broker.sibling() for _ in range(3)]
    waiting = [asyncio.ensure_future(other.wait(["default"], at_most=60)) for other in others]
    waiting.append(asyncio.ensure_future(others[0].wait(["default"], at_most=60)))
    await broker.open()
    await is_asleep(path, 3)

    await broker.enqueue([a_job("a")])

    await asyncio.gather(*waiting)
    for each in (*others, broker):
        await each.close()


async def test_a_ring_is_asked_for_again_by_the_next_wait_only(
    broker: SqliteBroker, path: Path
) -> None:
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
    await broker.open()
    await is_asleep(path, 1)

    await broker.enqueue([a_job("a")])
    await waiting

    assert listeners(path) == []
    await broker.close()


async def test_other_queues_and_later_jobs_do_not_ring(broker: SqliteBroker, path: Path) -> None:
    waiting = asyncio.ensure_future(broker.wait(["mail"], at_most=60))
    planned = asyncio.ensure_future(broker.wait_due(["mail"], until=NOW + 50))
    await broker.open()
    await is_asleep(path, 2)

    await broker.enqueue([a_job("a", "other"), a_job("b", "mail", due=NOW + 60)])

    assert listeners(path) == [("due", "mail"), ("pending", "mail")]
    assert not waiting.done()
    assert not planned.done()
    await broker.enqueue([a_job("c", "mail"), a_job("d", "mail", due=NOW + 40)])
    await asyncio.gather(waiting, planned)
    await broker.close()


async def test_a_wait_for_due_jobs_returns_when_one_is_there_already(
    broker: SqliteBroker,
) -> None:
    await broker.enqueue([a_job("a", due=NOW + 5)])

    await broker.wait_due(["default"], until=NOW + 10)

    await broker.close()


async def test_closing_ends_waits_and_leaves_no_listener(broker: SqliteBroker, path: Path) -> None:
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
    await broker.open()
    await is_asleep(path, 1)

    await broker.close()

    await waiting
    assert listeners(path) == []


async def test_without_a_free_port_waits_look_for_themselves(
    broker: SqliteBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_port(*_: object) -> None:
        raise OSError("no loopback interface")

    monkeypatch.setattr(socket.socket, "bind", no_port)
    monkeypatch.setattr(module, "_LOOK_EVERY", 0.01)
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
    await asyncio.sleep(0)

    await broker.enqueue([a_job("a")])

    await waiting
    await broker.close()


async def test_nonsense_on_the_port_does_no_harm(broker: SqliteBroker, path: Path) -> None:
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
    await broker.open()
    await is_asleep(path, 1)
    db = sqlite3.connect(path)
    [port] = db.execute("SELECT port FROM listeners").fetchone()
    db.close()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"\xff" * 1000, ("127.0.0.1", port))

    await waiting
    await broker.close()


async def test_who_listens_for_cancellations_is_rung(broker: SqliteBroker, path: Path) -> None:
    other = broker.sibling()
    await broker.enqueue([a_job("a"), a_job("b", "other")])
    await broker.claim(["default", "other"], limit=9, lease=60, worker="w1")
    waiting = asyncio.ensure_future(broker.cancellations(["default"], worker="w1", at_most=60))
    await is_asleep(path, 1)

    await other.cancel("other", ["b"])
    assert listeners(path) == [("cancel", "default")]
    await other.cancel("default", ["a"])

    assert await waiting == [Cancellation("a", "default")]
    assert listeners(path) == []
    await broker.close()
    await other.close()


async def test_without_a_ring_cancellations_are_found_by_looking(
    broker: SqliteBroker, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK_EVERY", 0.01)
    await broker.enqueue([a_job("a")])
    await broker.claim(["default"], limit=9, lease=60, worker="w1")
    waiting = asyncio.ensure_future(broker.cancellations(["default"], worker="w1", at_most=60))
    await is_asleep(path, 1)

    db = sqlite3.connect(path, isolation_level=None)
    db.execute("UPDATE jobs SET cancelled_at = 1")
    db.close()

    assert await waiting == [Cancellation("a", "default")]
    await broker.close()
