from collections.abc import AsyncIterator

import pytest

from atode.broker.protocol import Broker
from atode.broker.redis.broker import RedisBroker
from atode.testing.clock import FakeClock
from atode.testing.contract import BrokerContract


class TestRedis(BrokerContract):
    @pytest.fixture
    async def broker(self, clock: FakeClock, redis_url: str) -> AsyncIterator[Broker]:
        broker = RedisBroker(redis_url, clock)
        await broker.open()
        yield broker
        await broker.close()
