from collections.abc import AsyncIterator

import pytest

from atode.broker.postgres.broker import PostgresBroker
from atode.broker.protocol import Broker
from atode.testing.clock import FakeClock
from atode.testing.contract import BrokerContract
from atode.testing.operation_contract import OperationContract


class TestPostgres(BrokerContract, OperationContract):
    @pytest.fixture
    async def broker(self, clock: FakeClock, postgres_url: str) -> AsyncIterator[Broker]:
        broker = PostgresBroker(postgres_url, clock)
        await broker.open()
        yield broker
        await broker.close()
