"""Enqueue in the caller's transaction, with every library that people hold connections of."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
import sqlalchemy

from atode import Atode, BadOption, DuplicateJob, NotUnique, State
from atode.task import AsyncTask
from tests.integration.postgres.connections import (
    ASYNCHRONOUS,
    BLOCKING,
    connect,
    django,
    of_asyncpg,
)
from tests.integration.transaction import Undo

Send = AsyncTask[[int], None]


@pytest.fixture
async def app(postgres_url: str) -> AsyncIterator[Atode]:
    async with Atode(postgres_url) as app:
        yield app


@pytest.fixture
def send_receipt(app: Atode) -> Send:
    @app.task
    async def send_receipt(order: int) -> None: ...

    return send_receipt


@pytest.mark.parametrize("opened", ASYNCHRONOUS)
async def test_a_job_is_there_when_the_transaction_commits(
    app: Atode, send_receipt: Send, postgres_url: str, opened: Any
) -> None:
    async with opened(postgres_url) as connection:
        handle = await send_receipt.options(transaction=connection).enqueue(42)
        assert await handle.job() is None

    job = await handle.job()
    assert job is not None
    assert (job.state, job.payload) == (State.PENDING, b'{"order":42}')


@pytest.mark.parametrize("opened", ASYNCHRONOUS)
async def test_a_job_has_never_been_when_the_transaction_is_rolled_back(
    app: Atode, send_receipt: Send, postgres_url: str, opened: Any
) -> None:
    with suppress(Undo):
        async with opened(postgres_url) as connection:
            await send_receipt.options(transaction=connection, unique_for=60).enqueue(42)
            raise Undo

    assert (await app.broker.counts("default"))[State.PENDING] == 0
    await send_receipt.options(unique_for=60).enqueue(42)


@pytest.mark.parametrize("opened", BLOCKING)
async def test_a_job_is_there_when_a_blocking_transaction_commits(
    app: Atode, send_receipt: Send, postgres_url: str, opened: Any
) -> None:
    def work() -> str:
        with opened(postgres_url) as connection:
            return send_receipt.options(transaction=connection).enqueue_sync(42).id

    job = await app.get(await asyncio.to_thread(work))

    assert job is not None
    assert (job.state, job.payload) == (State.PENDING, b'{"order":42}')


@pytest.mark.parametrize("opened", BLOCKING)
async def test_a_job_has_never_been_when_a_blocking_transaction_is_rolled_back(
    app: Atode, send_receipt: Send, postgres_url: str, opened: Any
) -> None:
    def work() -> None:
        with opened(postgres_url) as connection:
            send_receipt.options(transaction=connection).enqueue_sync(42)
            raise Undo

    with pytest.raises(Undo):
        await asyncio.to_thread(work)

    assert (await app.broker.counts("default"))[State.PENDING] == 0


async def test_a_blocking_connection_is_used_on_the_callers_thread_only(
    app: Atode, send_receipt: Send, postgres_url: str
) -> None:
    seen: set[int] = set()

    class Watched(psycopg.Connection[Any]):
        def cursor(self, *given: Any, **named: Any) -> Any:
            seen.add(threading.get_ident())
            return super().cursor(*given, **named)

    def work() -> int:
        with Watched.connect(postgres_url) as connection:
            send_receipt.options(transaction=connection).enqueue_sync(1)
        return threading.get_ident()

    assert seen == {await asyncio.to_thread(work)}


async def test_a_worker_is_told_by_the_commit_and_not_before(
    app: Atode, send_receipt: Send, postgres_url: str
) -> None:
    other = app.broker.sibling()
    waiting = asyncio.ensure_future(other.wait(["default"], at_most=60))
    async with of_asyncpg(postgres_url) as connection:
        await send_receipt.options(transaction=connection).enqueue(1)
        done, _ = await asyncio.wait((waiting,), timeout=0.3)
        assert not done

    await asyncio.wait_for(waiting, 10)
    await other.close()


async def test_many_calls_join_one_transaction(
    app: Atode, send_receipt: Send, postgres_url: str
) -> None:
    async with of_asyncpg(postgres_url) as connection:
        inside = send_receipt.options(transaction=connection)
        await app.enqueue_many([inside.call(n) for n in range(100)])
        assert (await app.broker.counts("default"))[State.PENDING] == 0

    assert (await app.broker.counts("default"))[State.PENDING] == 100


async def test_an_item_of_a_batch_joins_its_group_when_the_transaction_commits(
    app: Atode, postgres_url: str
) -> None:
    @app.batch
    async def digest(numbers: list[int]) -> None: ...

    with suppress(Undo):
        async with of_asyncpg(postgres_url) as connection:
            await digest.options(transaction=connection).enqueue(1)
            raise Undo
    async with of_asyncpg(postgres_url) as connection:
        await digest.options(transaction=connection, key="user:7").enqueue(2)
        inside = list(await app.broker.groups(["default"]))

    [after] = await app.broker.groups(["default"])
    assert inside == []
    assert (after.name, after.size, after.task) == (f"{digest.name}:user:7", 1, digest.name)


async def test_a_refused_job_leaves_the_transaction_as_it_was(
    app: Atode, send_receipt: Send, postgres_url: str
) -> None:
    first = await send_receipt.options(id="order:1", unique_for=60).enqueue(1)
    async with of_asyncpg(postgres_url) as connection:
        inside = send_receipt.options(transaction=connection, id="order:1")
        with pytest.raises(DuplicateJob):
            await inside.enqueue(2)
        again = send_receipt.options(transaction=connection, unique_for=60)
        with pytest.raises(NotUnique) as caught:
            await again.enqueue(1)
        await send_receipt.options(transaction=connection).enqueue(3)

    assert caught.value.job_id == first.id
    assert (await app.broker.counts("default"))[State.PENDING] == 2


# What cannot be, and what to do instead


async def test_a_connection_without_transaction_is_refused_with_the_way_to_begin_one(
    send_receipt: Send, postgres_url: str
) -> None:
    connection = await connect(postgres_url)
    with pytest.raises(BadOption, match=r"async with connection.transaction\(\)"):
        await send_receipt.options(transaction=connection).enqueue(1)
    await connection.close()
    with pytest.raises(BadOption, match="closed"):
        await send_receipt.options(transaction=connection).enqueue(1)

    def begin_none() -> None:
        connected = psycopg.connect(postgres_url, autocommit=True)
        begun = r"with connection.transaction\(\)"
        with connected as blocking, pytest.raises(BadOption, match=begun):
            send_receipt.options(transaction=blocking).enqueue_sync(1)
        with django(postgres_url) as blocking, pytest.raises(BadOption, match="atomic"):
            send_receipt.options(transaction=blocking).enqueue_sync(1)

    await asyncio.to_thread(begin_none)


async def test_a_failed_transaction_is_refused(send_receipt: Send, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT 1/0")
        with pytest.raises(BadOption, match="roll it back"):
            send_receipt.options(transaction=connection).enqueue_sync(1)


async def test_the_wrong_way_of_calling_is_told(send_receipt: Send, postgres_url: str) -> None:
    connected = psycopg.connect(postgres_url)
    with connected as blocking, pytest.raises(BadOption, match="enqueue_sync"):
        await send_receipt.options(transaction=blocking).enqueue(1)
    async with of_asyncpg(postgres_url) as connection:
        with pytest.raises(BadOption, match="await enqueue"):
            send_receipt.options(transaction=connection).enqueue_sync(1)


async def test_another_database_is_refused_and_the_transaction_goes_on(
    send_receipt: Send, postgres_url: str
) -> None:
    elsewhere = postgres_url.rpartition("/")[0] + "/postgres"
    async with of_asyncpg(elsewhere) as connection:
        with pytest.raises(BadOption, match="'postgres'"):
            await send_receipt.options(transaction=connection).enqueue(1)
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_database_without_tables_is_refused_and_the_transaction_goes_on(
    postgres_url: str,
) -> None:
    app = Atode(f"{postgres_url}?schema=nowhere")

    @app.task
    async def send_receipt(order: int) -> None: ...

    async with of_asyncpg(postgres_url) as connection:
        with pytest.raises(BadOption, match="atode migrate"):
            await send_receipt.options(transaction=connection).enqueue(1)
        assert await connection.fetchval("SELECT 1") == 1


@pytest.mark.parametrize("thing", ["a text", 7, object()])
async def test_what_is_no_connection_is_refused_with_what_would_be(
    send_receipt: Send, thing: object
) -> None:
    with pytest.raises(BadOption, match="asyncpg connection, a psycopg connection"):
        await send_receipt.options(transaction=thing).enqueue(1)


async def test_a_database_of_another_kind_is_refused(send_receipt: Send) -> None:
    engine = sqlalchemy.create_engine("sqlite://")
    with engine.begin() as connection, pytest.raises(BadOption, match="sqlite"):
        send_receipt.options(transaction=connection).enqueue_sync(1)
    engine.dispose()


async def test_a_store_that_is_no_database_says_so(postgres_url: str) -> None:
    app = Atode("memory://")

    @app.task
    async def send_receipt(order: int) -> None: ...

    async with of_asyncpg(postgres_url) as connection:
        with pytest.raises(BadOption, match="PostgreSQL database"):
            await send_receipt.options(transaction=connection).enqueue(1)
