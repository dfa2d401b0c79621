"""Connections that are quiet for long: kept while they live, given up when nobody is there."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from atode.broker.redis import _doorbells, _subscription
from atode.broker.redis.broker import RedisBroker
from atode.errors import BrokerUnavailable
from atode.testing.clock import FakeClock
from tests.integration.plain_job import a_job
from tests.servers.redis import RedisServer


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A server that may be frozen."""
    with RedisServer() as server:
        yield server


@pytest.fixture
async def broker(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RedisBroker]:
    """Half minutes of silence, in milliseconds."""
    monkeypatch.setattr(_doorbells, "_BLOCK", 0.05)
    monkeypatch.setattr(_doorbells, "_GRACE", 0.2)
    monkeypatch.setattr(_subscription, "_QUIET", 0.05)
    monkeypatch.setattr(_subscription, "TIMEOUT", 0.2)
    # A clock that stands still ends no wait.
    broker = RedisBroker(server.url, FakeClock())
    yield broker
    server.thaw()
    await broker.close()


async def test_a_long_wait_for_work_still_ends_with_a_job(broker: RedisBroker) -> None:
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
    await asyncio.sleep(0.5)
    early = waiting.done()

    await broker.enqueue([a_job()])

    await asyncio.wait_for(waiting, 10)
    assert not early


async def test_a_long_wait_for_due_jobs_still_ends_with_one(broker: RedisBroker) -> None:
    waiting = asyncio.ensure_future(broker.wait_due(["default"], until=None))
    await asyncio.sleep(0.5)
    early = waiting.done()

    await broker.enqueue([a_job(due=1_900_000_000.5)])

    await asyncio.wait_for(waiting, 10)
    assert not early


async def test_a_wait_for_work_notices_that_nobody_is_there(
    broker: RedisBroker, server: RedisServer
) -> None:
    waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
    await asyncio.sleep(0.1)

    server.freeze()

    with pytest.raises(BrokerUnavailable, match="did not answer"):
        await asyncio.wait_for(waiting, 30)


async def test_a_wait_for_due_jobs_notices_that_nobody_is_there(
    broker: RedisBroker, server: RedisServer
) -> None:
    waiting = asyncio.ensure_future(broker.wait_due(["default"], until=None))
    await asyncio.sleep(0.1)

    server.freeze()

    with pytest.raises(BrokerUnavailable, match="did not answer"):
        await asyncio.wait_for(waiting, 10)
