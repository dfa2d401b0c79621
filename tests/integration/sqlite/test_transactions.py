"""Enqueue in the transaction of one's own connection to the file of the jobs."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from atode import Atode, BadOption, DuplicateJob, State
from atode.broker.sqlite import broker as broker_module
from atode.task import AsyncTask
from tests.integration.stage import until, working

Send = AsyncTask[[int], None]


@pytest.fixture
async def app(path: Path) -> AsyncIterator[Atode]:
    async with Atode(f"sqlite:///{path}") as app:
        yield app


@pytest.fixture
def ran() -> list[int]:
    return []


@pytest.fixture
def send_receipt(app: Atode, ran: list[int]) -> Send:
    @app.task
    async def send_receipt(order: int) -> None:
        ran.append(order)

    return send_receipt


async def pending(app: Atode) -> int:
    return (await app.broker.counts("default"))[State.PENDING]


@pytest.mark.parametrize("isolation_level", ["DEFERRED", None])
async def test_a_job_is_there_when_the_transaction_commits(
    app: Atode, send_receipt: Send, path: Path, isolation_level: str | None
) -> None:
    connection = sqlite3.connect(path, isolation_level=isolation_level)  # type: ignore[arg-type]
    connection.row_factory = sqlite3.Row
    connection.execute("BEGIN")
    await send_receipt.options(transaction=connection).enqueue(42)
    assert await pending(app) == 0

    connection.execute("COMMIT")

    assert await pending(app) == 1
    assert connection.row_factory is sqlite3.Row
    connection.close()


async def test_a_job_has_never_been_when_the_transaction_is_rolled_back(
    app: Atode, send_receipt: Send, path: Path
) -> None:
    connection = sqlite3.connect(path)
    send_receipt.options(transaction=connection, unique_for=60).enqueue_sync(42)
    connection.rollback()
    connection.close()

    assert await pending(app) == 0
    await send_receipt.options(unique_for=60).enqueue(42)


async def test_an_idle_worker_is_woken_by_the_commit(
    app: Atode, send_receipt: Send, path: Path, ran: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # It must not be found by looking.
    monkeypatch.setattr(broker_module, "_LOOK_EVERY", 3600.0)
    async with working(app):
        for number in range(5):
            connection = sqlite3.connect(path, timeout=20)
            await until(partial(listening, connection))
            with connection:
                await send_receipt.options(transaction=connection).enqueue(number)
                # Long enough for the worker to look too early.
                await asyncio.sleep(0.05)
                assert ran == list(range(number))
            connection.close()
            await until(partial(ran.__contains__, number))


async def test_a_worker_that_was_woken_for_nothing_is_woken_again(
    app: Atode, send_receipt: Send, path: Path, ran: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker_module, "_LOOK_EVERY", 3600.0)
    async with working(app):
        connection = sqlite3.connect(path, timeout=20)
        await until(lambda: listening(connection))
        await send_receipt.options(transaction=connection).enqueue(1)
        connection.rollback()
        await until(lambda: listening(connection))
        await send_receipt.enqueue(2)
        await until(lambda: ran == [2])
        connection.close()


def listening(db: sqlite3.Connection) -> bool:
    [count] = db.execute("SELECT count(*) FROM listeners WHERE kind = 'pending'").fetchone()
    return bool(count)


async def test_an_id_that_is_taken_is_refused(app: Atode, send_receipt: Send, path: Path) -> None:
    await send_receipt.options(id="order:1").enqueue(1)
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row

    with pytest.raises(DuplicateJob):
        await send_receipt.options(id="order:1", transaction=connection).enqueue(1)
    connection.rollback()
    connection.close()


async def test_what_cannot_be_is_refused_with_the_way_out(
    app: Atode, send_receipt: Send, path: Path, tmp_path: Path
) -> None:
    elsewhere = sqlite3.connect(tmp_path / "other.db")
    none_open = sqlite3.connect(path, isolation_level=None)
    closed = sqlite3.connect(path)
    closed.close()

    for thing, message in (
        ("a text", r"sqlite3\.Connection"),
        (elsewhere, "other.db"),
        (none_open, "BEGIN"),
        (closed, "closed"),
    ):
        with pytest.raises(BadOption, match=message):
            await send_receipt.options(transaction=thing).enqueue(1)
    elsewhere.close()
    none_open.close()


async def test_a_file_that_is_not_prepared_is_refused(tmp_path: Path) -> None:
    app = Atode(f"sqlite:///{tmp_path / 'new.db'}")

    @app.task
    async def send_receipt(order: int) -> None: ...

    connection = sqlite3.connect(tmp_path / "new.db")
    with pytest.raises(BadOption, match="atode migrate"):
        await send_receipt.options(transaction=connection).enqueue(1)
    connection.close()
