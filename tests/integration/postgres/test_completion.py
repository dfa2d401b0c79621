"""Jobs that are completed in their handlers' own transactions, on PostgreSQL."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Any, cast

import asyncpg
import psycopg
import pytest

from atode import (
    Atode,
    BadOption,
    JobHandle,
    Misused,
    NotHeld,
    Retry,
    State,
    complete_job,
    complete_job_sync,
    fixed,
)
from atode.events import (
    ClaimLost,
    EndingIgnored,
    JobRetrying,
    JobSucceeded,
    TransactionLeftOpen,
)
from atode.outcome import Succeeded, decide
from atode.testing.jobs import a_job
from atode.worker import _completions
from tests.integration.postgres.connections import ASYNCHRONOUS, BLOCKING, connect, of_asyncpg
from tests.integration.postgres.stage import Ask, until_told
from tests.integration.stage import heard, until, until_stored, working
from tests.integration.transaction import Undo, affect, first_attempt, noted


@pytest.fixture
async def jobs(postgres_url: str, ask: Ask) -> AsyncIterator[Atode]:
    ask("CREATE TABLE effects (number integer)")
    async with Atode(postgres_url, retry=Retry(3, fixed(0.01))) as app:
        yield app


def effects(ask: Ask) -> int:
    return int(ask("SELECT count(*) FROM effects"))


def tallies(ask: Ask) -> str:
    return ask("SELECT sum(succeeded), sum(failed) FROM job_tallies")


@pytest.mark.parametrize("opened", ASYNCHRONOUS)
async def test_effect_and_success_are_one_with_every_library(
    jobs: Atode, postgres_url: str, ask: Ask, opened: Any
) -> None:
    @jobs.task(retention=60)
    async def charge() -> str:
        with suppress(Undo):
            async with opened(postgres_url) as connection:
                await affect(connection)
                await complete_job("too early", transaction=connection)
                raise Undo
        async with opened(postgres_url) as connection:
            await affect(connection)
            return await complete_job("charged", transaction=connection)

    lost, succeeded = heard(jobs, ClaimLost), heard(jobs, JobSucceeded)
    async with working(jobs):
        handle = await charge.options(unique_for=60).enqueue()
        assert await handle.result(timeout=20) == "charged"
        await until(lambda: succeeded)

    job = await handle.job()
    assert job is not None
    assert (job.state, job.retried, effects(ask), tallies(ask)) == (State.COMPLETED, 0, 1, "1|0")
    assert job.kept_until == pytest.approx(job.completed_at + 60)
    assert [event.job.id for event in succeeded] == [handle.id]
    assert lost == []
    # What a success unlocks, this has unlocked.
    await charge.options(unique_for=60).enqueue()


@pytest.mark.parametrize("opened", BLOCKING)
async def test_effect_and_success_are_one_in_a_thread(
    jobs: Atode, postgres_url: str, ask: Ask, opened: Any
) -> None:
    @jobs.task
    def charge() -> None:
        with opened(postgres_url) as connection:
            affect(connection)
            complete_job_sync(transaction=connection)

    lost, succeeded = heard(jobs, ClaimLost), heard(jobs, JobSucceeded)
    async with working(jobs):
        handle = await charge.enqueue()
        await until(lambda: succeeded)

    assert await handle.job() is None
    assert (effects(ask), tallies(ask), lost) == (1, "1|0", [])


@pytest.mark.parametrize("opened", BLOCKING)
async def test_a_rollback_in_a_thread_leaves_the_job_to_its_handlers_end(
    jobs: Atode, postgres_url: str, ask: Ask, opened: Any
) -> None:
    @jobs.task
    def charge() -> None:
        with opened(postgres_url) as connection:
            affect(connection)
            complete_job_sync(transaction=connection)
            if first_attempt():
                raise Undo

    retrying, succeeded = heard(jobs, JobRetrying), heard(jobs, JobSucceeded)
    async with working(jobs):
        await charge.enqueue()
        await until(lambda: succeeded)

    assert [event.job.retried for event in retrying] == [1]
    assert (effects(ask), tallies(ask)) == (1, "1|1")


async def test_a_savepoint_that_is_rolled_back_completes_nothing(
    jobs: Atode, postgres_url: str, ask: Ask
) -> None:
    @jobs.task
    async def charge() -> None:
        async with of_asyncpg(postgres_url) as connection:
            await affect(connection)
            with suppress(Undo):
                async with connection.transaction():
                    await complete_job(transaction=connection)
                    raise Undo

    succeeded = heard(jobs, JobSucceeded)
    async with working(jobs):
        await charge.enqueue()
        await until(lambda: succeeded)

    assert (effects(ask), tallies(ask)) == (1, "1|0")


async def test_what_a_handler_does_after_the_commit_does_not_count(
    jobs: Atode, postgres_url: str, ask: Ask
) -> None:
    @jobs.task(timeout=1)
    async def charge(then: str) -> None:
        async with of_asyncpg(postgres_url) as connection:
            await complete_job(transaction=connection)
        if then == "fail":
            raise ValueError("too late")
        await asyncio.sleep(60)

    ignored, lost = heard(jobs, EndingIgnored), heard(jobs, ClaimLost)
    async with working(jobs):
        await charge.enqueue("fail")
        await charge.enqueue("dawdle")
        await until(lambda: len(ignored) == 2)

    assert ignored[0].ending.startswith("ValueError: too late")
    assert ignored[1].ending.startswith("timed out")
    assert (ask("SELECT count(*) FROM jobs"), tallies(ask), lost) == ("0", "2|0", [])


async def test_a_batch_is_completed_like_any_job(jobs: Atode, postgres_url: str, ask: Ask) -> None:
    @jobs.batch(max_size=3)
    async def charge(numbers: list[int]) -> None:
        async with of_asyncpg(postgres_url) as connection:
            for _ in numbers:
                await affect(connection)
            await complete_job(transaction=connection)

    succeeded = heard(jobs, JobSucceeded)
    async with working(jobs):
        await jobs.enqueue_many(charge.call(n) for n in range(3))
        await until(lambda: succeeded)

    assert (effects(ask), ask("SELECT count(*) FROM jobs")) == (3, "0")


# Nobody waits, and nobody takes the job, while the transaction is open


@pytest.mark.parametrize("is_committed", [True, False])
async def test_a_transaction_may_last_longer_than_the_lease(
    jobs: Atode, postgres_url: str, ask: Ask, is_committed: bool
) -> None:
    runs: list[int] = []
    may_end = asyncio.Event()

    @jobs.task
    async def charge() -> None:
        runs.append(1)
        with suppress(Undo):
            async with of_asyncpg(postgres_url) as connection:
                await affect(connection)
                await complete_job(transaction=connection)
                await may_end.wait()
                if not is_committed:
                    raise Undo
        # Long enough for reapers to look.
        await asyncio.sleep(1.5)

    @jobs.task
    async def other() -> None: ...

    rival = Atode(postgres_url)
    rival.registry = jobs.registry
    lost, succeeded = heard(jobs, ClaimLost), heard(jobs, JobSucceeded)
    async with rival, working(jobs, lease=2), AsyncExitStack() as later:
        handle = await charge.enqueue()
        await until(lambda: runs)
        await later.enter_async_context(working(rival, lease=2))
        expired = "SELECT count(*) = 1 FROM jobs WHERE turn < date_part('epoch', now())"
        await until_told(ask, expired)
        # While the row is locked, other jobs come and go.
        await (await other.options(retention=60).enqueue()).result(timeout=10)
        may_end.set()
        await until_stored(handle, None)
        await until(lambda: any(event.job.id == handle.id for event in succeeded))

    assert (len(runs), effects(ask), lost) == (1, int(is_committed), [])


async def test_an_extension_waits_for_nobody_and_loses_nothing(
    jobs: Atode, postgres_url: str
) -> None:
    broker = cast("Any", jobs.broker)
    await broker.enqueue([a_job(), a_job()])
    claims = await broker.claim(["default"], limit=2, lease=60, worker="w")
    async with of_asyncpg(postgres_url) as connection:
        settled = decide(claims[0], Succeeded(), Retry(0), 1.0)
        written = await broker.settle_within(connection, settled)
        assert await broker.committed([written]) == [None]
        async with asyncio.timeout(5):
            assert await broker.extend(claims, lease=60) == []
    assert await broker.committed([written]) == [True]
    assert await broker.extend(claims, lease=60) == [claims[0]]


async def test_a_handler_may_leave_its_transaction_open_for_a_while(
    jobs: Atode, postgres_url: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_completions, "LEFT_OPEN", 0.2)
    held: list[Any] = []

    @jobs.task
    async def charge() -> None:
        connection = await connect(postgres_url)
        held.append(connection)
        await connection.execute("BEGIN")
        await affect(connection)
        await complete_job(transaction=connection)

    @jobs.task
    async def other() -> None: ...

    told, succeeded = heard(jobs, TransactionLeftOpen), heard(jobs, JobSucceeded)
    async with working(jobs):
        handle = await charge.enqueue()
        await until(lambda: told)
        # Its settlement does not hold up those of others.
        await (await other.options(retention=60).enqueue()).result(timeout=10)
        assert (await until_stored(handle, State.ACTIVE)) is not None
        await held[0].execute("COMMIT")
        await until(lambda: any(event.job.id == handle.id for event in succeeded))
        await held[0].close()

    assert len(told) == 1
    assert effects(ask) == 1


async def test_a_thread_that_was_given_up_may_still_commit(
    jobs: Atode, postgres_url: str, ask: Ask
) -> None:
    may_end = threading.Event()

    @jobs.task(timeout=1)
    def charge() -> None:
        with psycopg.connect(postgres_url) as connection:
            affect(connection)
            complete_job_sync(transaction=connection)
            may_end.wait(20)

    ignored = heard(jobs, EndingIgnored)
    async with working(jobs):
        await charge.enqueue()
        # Its time is over, and what would be written of that waits for the transaction.
        await asyncio.sleep(1.3)
        may_end.set()
        await until(lambda: ignored)

    assert ignored[0].ending.startswith("timed out")
    assert (effects(ask), ask("SELECT count(*) FROM jobs"), tallies(ask)) == (1, "0", "1|0")


# What must not be


async def test_who_has_lost_the_job_cannot_commit(jobs: Atode, postgres_url: str, ask: Ask) -> None:
    refused: list[NotHeld] = []

    @jobs.task
    async def charge() -> None:
        async with of_asyncpg(postgres_url) as connection:
            await affect(connection)
            if first_attempt() and not refused:
                await asyncio.to_thread(ask, "UPDATE jobs SET ticket = 0, worker = 'another'")
                with noted(refused):
                    await complete_job(transaction=connection)

    lost = heard(jobs, ClaimLost)
    async with working(jobs):
        handle = await charge.enqueue()
        await until(lambda: lost)

    assert handle.id in str(refused[0])
    assert "roll the transaction back" in str(refused[0])
    assert effects(ask) == 0


async def test_a_job_is_completed_once(jobs: Atode, postgres_url: str, ask: Ask) -> None:
    @jobs.task
    async def charge() -> None:
        async with of_asyncpg(postgres_url) as connection:
            await affect(connection)
            await complete_job(transaction=connection)
        async with of_asyncpg(postgres_url) as connection:
            await affect(connection)
            await complete_job(transaction=connection)

    ignored = heard(jobs, EndingIgnored)
    async with working(jobs):
        await charge.enqueue()
        await until(lambda: ignored)

    assert "completed before" in ignored[0].ending
    assert (effects(ask), tallies(ask)) == (1, "1|0")


async def test_a_thread_whose_time_is_over_cannot_complete(
    jobs: Atode, postgres_url: str, ask: Ask
) -> None:
    errors: list[NotHeld] = []
    retrying = heard(jobs, JobRetrying)

    @jobs.task(timeout=0.2)
    def charge() -> None:
        if not first_attempt():
            return
        while not retrying:
            threading.Event().wait(0.01)
        with psycopg.connect(postgres_url) as connection:
            affect(connection)
            with noted(errors):
                complete_job_sync(transaction=connection)

    async with working(jobs):
        await charge.enqueue()
        await until(lambda: errors)

    assert "interrupted" in str(errors[0])
    assert effects(ask) == 0


async def test_a_job_that_is_cancelled_meanwhile_is_completed_or_rolled_back(
    jobs: Atode, postgres_url: str, ask: Ask
) -> None:
    marked, waiting = asyncio.Event(), asyncio.Event()

    @jobs.task
    async def charge(before: bool) -> None:
        async with of_asyncpg(postgres_url) as connection:
            await affect(connection)
            if before:
                await complete_job(transaction=connection)
            waiting.set()
            await marked.wait()
            await asyncio.sleep(60 if not before else 0)

    succeeded = heard(jobs, JobSucceeded)
    async with working(jobs):
        rolled_back = await charge.enqueue(False)
        await waiting.wait()
        assert await rolled_back.cancel()
        job = await until_stored(rolled_back, State.ARCHIVED)
        assert job is not None

        waiting.clear()
        completed = await charge.enqueue(True)
        await waiting.wait()
        # It waits for who is at the job, and finds it gone.
        cancelling = asyncio.create_task(completed.cancel())
        marked.set()
        assert not await cancelling
        await until(lambda: succeeded)

    assert effects(ask) == 1


async def test_the_wrong_connection_or_place_is_told(jobs: Atode, postgres_url: str) -> None:
    said: list[str] = []

    @jobs.task
    async def charge() -> None:
        idle = await connect(postgres_url)
        with psycopg.connect(postgres_url) as blocking:
            for transaction in (idle, blocking, "a text"):
                try:
                    await complete_job(transaction=transaction)
                except BadOption as error:
                    said.append(str(error))
        async with of_asyncpg(postgres_url) as connection:
            with pytest.raises(BadOption, match="await complete_job there"):
                complete_job_sync(transaction=connection)
        await idle.close()

    async with working(jobs):
        await until_stored(await charge.enqueue(), None)

    assert "no transaction is open" in said[0]
    assert "call complete_job_sync" in said[1]
    assert "an asyncpg connection" in said[2]
    with pytest.raises(Misused, match="no job to complete"):
        await complete_job(transaction=None)


async def test_a_store_that_is_no_database_says_so(postgres_url: str) -> None:
    app = Atode("memory://", retry=Retry(0))

    @app.task
    async def charge() -> None:
        async with of_asyncpg(postgres_url) as connection:
            await complete_job(transaction=connection)

    async with app, working(app):
        handle: JobHandle[None] = await charge.enqueue()
        job = await until_stored(handle, State.ARCHIVED)

    assert job is not None
    assert "BadOption" in job.error
    assert "PostgreSQL database" in job.error


async def test_under_repeatable_read_it_is_called_first(jobs: Atode, postgres_url: str) -> None:
    broker = cast("Any", jobs.broker)
    await broker.enqueue([a_job(), a_job()])
    first, last = await broker.claim(["default"], limit=2, lease=60, worker="w")
    connection = await connect(postgres_url)

    async with connection.transaction(isolation="repeatable_read"):
        settlement = decide(first, Succeeded(), Retry(0), 1.0)
        assert await broker.settle_within(connection, settlement)
        assert await broker.extend([first, last], lease=60) == []
    async with connection.transaction(isolation="repeatable_read"):
        await connection.execute("SELECT 1 FROM effects")
        await broker.extend([last], lease=60)
        with pytest.raises(asyncpg.SerializationError):
            await broker.settle_within(connection, decide(last, Succeeded(), Retry(0), 1.0))
    await connection.close()
