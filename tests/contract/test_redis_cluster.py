from collections.abc import AsyncIterator, Iterator

import pytest

from atode.broker.protocol import Broker
from atode.broker.redis.broker import RedisBroker
from atode.testing.clock import FakeClock
from atode.testing.contract import BrokerContract
from tests.contract import differences
from tests.servers.redis_cluster import RedisCluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    with RedisCluster() as cluster:
        yield cluster


class TestRedisCluster(BrokerContract):
    differences = differences.REDIS

    @pytest.fixture
    async def broker(self, clock: FakeClock, cluster: RedisCluster) -> AsyncIterator[Broker]:
        cluster.flush()
        broker = RedisBroker(cluster.url, clock)
        await broker.open()
        yield broker
        await broker.close()
