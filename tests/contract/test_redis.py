from collections.abc import AsyncIterator

import pytest

from atode.broker.protocol import Broker
from atode.broker.redis.broker import RedisBroker
from atode.testing.clock import FakeClock
from atode.testing.contract import BrokerContract
from tests.contract import differences


class TestRedis(BrokerContract):
    differences = differences.REDIS

    @pytest.fixture(params=["redis", "valkey"])
    def url(self, request: pytest.FixtureRequest) -> str:
        found: str = request.getfixturevalue(f"{request.param}_url")
        return found

    @pytest.fixture
    async def broker(self, clock: FakeClock, url: str) -> AsyncIterator[Broker]:
        broker = RedisBroker(url, clock)
        await broker.open()
        yield broker
        await broker.close()
