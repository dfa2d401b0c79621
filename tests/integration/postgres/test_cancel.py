"""What cancelling writes into PostgreSQL, and what it does to whoever is at the same job."""

import asyncio

import pytest

from atode.broker.postgres.broker import PostgresBroker
from atode.broker.protocol import Cancellation
from atode.job import State
from atode.outcome import Failed, Released
from atode.testing.clock import FakeClock
from atode.testing.jobs import a_job, end, take
from tests.integration.postgres.stage import Ask, under_way, waiting
from tests.servers.postgres import PostgresServer

MARKED = "SELECT count(cancelled) FROM jobs"


@pytest.fixture
def broker(timed: PostgresBroker) -> PostgresBroker:
    return timed


async def test_operators_see_a_cancelled_job_as_failed(broker: PostgresBroker, ask: Ask) -> None:
    await broker.enqueue([a_job(id="waits")])

    await broker.cancel("default", ["waits"])

    assert ask("SELECT status, error, attempts FROM jobs") == "failed|cancelled|0"
    assert ask(MARKED) == "0"


async def test_a_mark_goes_with_the_attempt(
    broker: PostgresBroker, clock: FakeClock, ask: Ask
) -> None:
    await broker.enqueue([a_job()])
    [claim] = await take(broker)
    await broker.cancel("default", State.ACTIVE)
    assert ask("SELECT status, error, cancelled IS NULL FROM jobs") == "processing||f"

    await end(broker, claim, Failed("no"), clock)

    assert ask("SELECT status, error, cancelled IS NULL FROM jobs") == "failed|cancelled|t"


async def test_cancelling_waits_for_a_claim_that_is_under_way(
    broker: PostgresBroker, postgres_url: str, ask: Ask
) -> None:
    await broker.enqueue([a_job(id="j")])
    claim = "UPDATE jobs SET state = 'active', worker = 'w', ticket = 7"
    async with under_way(postgres_url, claim) as transaction:
        cancelling = await waiting(broker.cancel("default", ["j"]), ask)
        await transaction.commit()

    assert await cancelling == 1
    assert ask("SELECT state, cancelled IS NULL FROM jobs") == "active|f"


async def test_a_settlement_waits_for_a_cancellation_that_is_under_way(
    broker: PostgresBroker, postgres_url: str, clock: FakeClock, ask: Ask
) -> None:
    await broker.enqueue([a_job()])
    [claim] = await take(broker)
    async with under_way(postgres_url, "UPDATE jobs SET cancelled = 1") as transaction:
        settling = await waiting(end(broker, claim, Released(), clock), ask)
        await transaction.commit()

    assert await settling == []
    assert ask("SELECT state, error FROM jobs") == "archived|cancelled"


async def test_a_second_cancellation_is_told_again(broker: PostgresBroker) -> None:
    await broker.enqueue([a_job(id="deaf")])
    await take(broker)
    told = [Cancellation("deaf", "default")]
    for _ in range(2):
        await broker.cancel("default", ["deaf"])
        assert await broker.cancellations(["default"], worker="w", at_most=60) == told

    assert await broker.cancellations(["default"], worker="w", at_most=0) == []


async def test_the_mark_of_a_worker_that_knows_none_comes_with_the_next_claim(
    broker: PostgresBroker, ask: Ask
) -> None:
    await broker.enqueue([a_job(id="j"), a_job(id="other")])
    await take(broker)
    await broker.cancel("default", ["j"])
    # What a worker of an older version writes for a job that is handed back.
    ask("UPDATE jobs SET state = 'pending', turn = line, worker = NULL")

    # One that has not claimed before looks from the very beginning.
    other = broker.sibling()
    claims = await take(other)
    await other.close()

    assert {claim.job.id: claim.cancelled for claim in claims} == {"j": True, "other": False}
    assert await broker.cancellations(["default"], worker="w", at_most=0) == [
        Cancellation("j", "default")
    ]


async def test_news_is_found_by_looking_where_nobody_is_told(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    broker = PostgresBroker(f"{postgres_url}?listen=never")
    other = PostgresBroker(f"{postgres_url}?listen=never")
    await broker.enqueue([a_job(id="j")])
    await take(broker)
    listening = asyncio.ensure_future(broker.cancellations(["default"], worker="w", at_most=60))

    await other.cancel("default", ["j"])

    async with asyncio.timeout(20):
        assert await listening == [Cancellation("j", "default")]
    await broker.close()
    await other.close()
