from collections.abc import AsyncIterator

import pytest

from atode.broker.memory import MemoryBroker
from atode.broker.protocol import Broker
from atode.testing.clock import FakeClock
from atode.testing.contract import BrokerContract
from tests.contract import differences


class TestMemory(BrokerContract):
    differences = differences.MEMORY

    @pytest.fixture
    async def broker(self, clock: FakeClock) -> AsyncIterator[Broker]:
        broker = MemoryBroker(clock)
        await broker.open()
        yield broker
        await broker.close()
