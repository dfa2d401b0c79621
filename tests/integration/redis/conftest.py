from collections.abc import AsyncIterator

import pytest

from atode.broker.redis.broker import RedisBroker
from atode.clock import Clock
from atode.testing.clock import FakeClock
from tests.integration.redis.stage import START


@pytest.fixture
def clock() -> FakeClock:
    """Between two of asynq's instants, which are whole seconds."""
    return FakeClock(START + 0.25)


@pytest.fixture
async def broker(redis_url: str, clock: Clock) -> AsyncIterator[RedisBroker]:
    broker = RedisBroker(redis_url, clock)
    yield broker
    await broker.close()
