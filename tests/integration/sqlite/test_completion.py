"""Jobs that are completed in their handlers' own transactions, on SQLite."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Generator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    closing,
    contextmanager,
    suppress,
)
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy.orm import Session

from atode import (
    Atode,
    BadOption,
    BrokerUnavailable,
    NotHeld,
    Retry,
    State,
    complete_job,
    complete_job_sync,
    fixed,
)
from atode.events import ClaimLost, EndingIgnored, JobRetrying, JobSucceeded
from tests.integration import alchemy
from tests.integration.stage import heard, until, until_stored, working
from tests.integration.transaction import Undo, affect, first_attempt, noted


@pytest.fixture
async def jobs(path: Path) -> AsyncIterator[Atode]:
    async with Atode(f"sqlite:///{path}", retry=Retry(3, fixed(0.01))) as app:
        ask(path, "CREATE TABLE effects (number integer)")
        yield app


def ask(path: Path, statement: str) -> Any:
    with closing(sqlite3.connect(path, timeout=20)) as db, db:
        return db.execute(statement).fetchone()


def effects(path: Path) -> int:
    count: int = ask(path, "SELECT count(*) FROM effects")[0]
    return count


def tallies(path: Path) -> tuple[int, int]:
    found: tuple[int, int] = ask(path, "SELECT sum(succeeded), sum(failed) FROM tallies")
    return found


# Blocking connections, each inside a transaction.


@contextmanager
def of_sqlite3(path: Path) -> Generator[Any]:
    with closing(sqlite3.connect(path)) as db, db:
        db.row_factory = sqlite3.Row
        yield db


@contextmanager
def of_sqlite3_by_hand(path: Path) -> Generator[Any]:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        with db:
            yield db


def of_sqlalchemy_connection(path: Path) -> AbstractContextManager[Any]:
    return alchemy.connection(f"sqlite:///{path}")


def of_sqlalchemy_session(path: Path) -> AbstractContextManager[Any]:
    return alchemy.session(f"sqlite:///{path}")


BLOCKING = [of_sqlite3, of_sqlite3_by_hand, of_sqlalchemy_connection, of_sqlalchemy_session]


def of_async_connection(path: Path) -> AbstractAsyncContextManager[Any]:
    return alchemy.async_connection(f"sqlite+aiosqlite:///{path}")


def of_async_session(path: Path) -> AbstractAsyncContextManager[Any]:
    return alchemy.async_session(f"sqlite+aiosqlite:///{path}")


@pytest.mark.parametrize("has_effect_first", [True, False])
@pytest.mark.parametrize("opened", BLOCKING)
async def test_effect_and_success_are_one_with_every_library(
    jobs: Atode, path: Path, opened: Any, has_effect_first: bool
) -> None:
    @jobs.task(retention=60)
    def charge() -> str:
        with opened(path) as connection:
            if has_effect_first:
                affect(connection)
            complete_job_sync("charged", transaction=connection)
            if not has_effect_first:
                affect(connection)
            if first_attempt():
                raise Undo
            return "ignored"

    lost, succeeded = heard(jobs, ClaimLost), heard(jobs, JobSucceeded)
    retrying = heard(jobs, JobRetrying)
    async with working(jobs):
        handle = await charge.options(unique_for=60).enqueue()
        assert await handle.result(timeout=20) == "charged"
        await until(lambda: succeeded)

    assert len(retrying) == 1
    assert (effects(path), tallies(path), lost) == (1, (1, 1), [])
    await charge.options(unique_for=60).enqueue()


@pytest.mark.parametrize("opened", [of_async_connection, of_async_session])
async def test_effect_and_success_are_one_on_the_event_loop(
    jobs: Atode, path: Path, opened: Any
) -> None:
    @jobs.task
    async def charge() -> None:
        with suppress(Undo):
            async with opened(path) as connection:
                await affect(connection)
                await complete_job(transaction=connection)
                raise Undo
        async with opened(path) as connection:
            await affect(connection)
            await complete_job(transaction=connection)

    lost, succeeded = heard(jobs, ClaimLost), heard(jobs, JobSucceeded)
    async with working(jobs):
        handle = await charge.enqueue()
        await until(lambda: succeeded)

    assert await handle.job() is None
    assert (effects(path), tallies(path), lost) == (1, (1, 0), [])


async def test_a_job_is_enqueued_by_way_of_sqlalchemy(jobs: Atode, path: Path) -> None:
    @jobs.task
    async def charge() -> None: ...

    def enqueue() -> None:
        for opened in (of_sqlalchemy_connection, of_sqlalchemy_session):
            with opened(path) as connection:
                charge.options(transaction=connection, unique_for=60).enqueue_sync()
                with suppress(Undo), opened(path):
                    raise Undo
            ask(path, "DELETE FROM locks")

    await asyncio.to_thread(enqueue)
    with suppress(Undo):
        async with of_async_session(path) as session:
            await charge.options(transaction=session).enqueue()
            raise Undo
    async with of_async_connection(path) as connection:
        await charge.options(transaction=connection).enqueue()

    assert (await jobs.broker.counts("default"))[State.PENDING] == 3


async def test_what_a_handler_does_after_the_commit_does_not_count(jobs: Atode, path: Path) -> None:
    @jobs.task
    def charge() -> None:
        with of_sqlite3(path) as connection:
            complete_job_sync(transaction=connection)
        raise ValueError("too late")

    ignored, lost = heard(jobs, EndingIgnored), heard(jobs, ClaimLost)
    async with working(jobs):
        await charge.enqueue()
        await until(lambda: ignored)

    assert ignored[0].ending.startswith("ValueError: too late")
    assert (tallies(path), lost) == ((1, 0), [])


@pytest.mark.parametrize("is_committed", [True, False])
async def test_a_transaction_may_last_longer_than_the_lease(
    jobs: Atode, path: Path, is_committed: bool
) -> None:
    runs: list[int] = []

    @jobs.task(retention=60)
    async def charge() -> None:
        runs.append(1)
        with suppress(Undo):
            async with of_async_connection(path) as connection:
                await affect(connection)
                await complete_job(transaction=connection)
                await asyncio.sleep(2.5)
                if not is_committed:
                    raise Undo
        # Long enough for reapers to look.
        await asyncio.sleep(1)

    @jobs.task
    async def other(seconds: float) -> None:
        runs.append(2)
        await asyncio.sleep(seconds)

    rival = Atode(f"sqlite:///{path}")
    rival.registry = jobs.registry
    lost = heard(jobs, ClaimLost)
    async with rival, working(jobs, lease=2), working(rival, lease=2):
        # The file is locked for all: those whose leases ran out are not dead.
        neighbour = await other.enqueue(4)
        await until(lambda: runs == [2])
        handle = await charge.enqueue()
        await until(lambda: sorted(runs) == [1, 2])
        await until_stored(handle, State.COMPLETED)
        await until_stored(neighbour, None)

    assert sorted(runs) == [1, 2]
    assert (effects(path), tallies(path), lost) == (int(is_committed), (2, 0), [])


async def test_who_has_lost_the_job_cannot_commit(jobs: Atode, path: Path) -> None:
    refused: list[NotHeld] = []

    @jobs.task
    def charge() -> None:
        if refused:
            return
        ask(path, "UPDATE jobs SET claims = claims + 1")
        with of_sqlite3(path) as connection:
            affect(connection)
            with noted(refused):
                complete_job_sync(transaction=connection)

    lost = heard(jobs, ClaimLost)
    async with working(jobs):
        await charge.enqueue()
        await until(lambda: lost)

    assert "roll the transaction back" in str(refused[0])
    assert effects(path) == 0


async def test_a_transaction_that_began_to_read_too_early_says_how_to_begin(
    jobs: Atode, path: Path
) -> None:
    @jobs.task
    async def charge() -> None: ...

    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN")
        db.execute("SELECT * FROM effects").fetchall()
        await charge.enqueue()
        with pytest.raises(BrokerUnavailable, match="BEGIN IMMEDIATE"):
            await charge.options(transaction=db).enqueue()


async def test_the_wrong_way_of_calling_is_told(jobs: Atode, path: Path, tmp_path: Path) -> None:
    @jobs.task
    async def charge() -> None: ...

    with (
        of_sqlalchemy_connection(path) as connection,
        pytest.raises(BadOption, match="call enqueue_sync"),
    ):
        await charge.options(transaction=connection).enqueue()
    async with of_async_connection(path) as connection:
        with pytest.raises(BadOption, match="await enqueue there"):
            charge.options(transaction=connection).enqueue_sync()
    with (
        of_sqlalchemy_connection(tmp_path / "other.db") as connection,
        pytest.raises(BadOption, match=r"other\.db"),
    ):
        charge.options(transaction=connection).enqueue_sync()
    engine = sqlalchemy.create_engine("postgresql+psycopg://nobody@localhost/nothing")
    with Session(engine) as session, pytest.raises(BadOption, match="of kind postgresql"):
        charge.options(transaction=session).enqueue_sync()
