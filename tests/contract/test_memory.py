from collections.abc import AsyncIterator

import pytest

from atode.broker.memory import MemoryBroker
from atode.broker.protocol import Broker
from atode.testing.cancel_contract import CancelContract
from atode.testing.clock import FakeClock
from atode.testing.contract import BrokerContract
from atode.testing.operation_contract import OperationContract
from atode.testing.transfer_contract import TransferContract


class TestMemory(BrokerContract, OperationContract, CancelContract, TransferContract):
    @pytest.fixture
    async def broker(self, clock: FakeClock) -> AsyncIterator[Broker]:
        broker = MemoryBroker(clock)
        await broker.open()
        yield broker
        await broker.close()
