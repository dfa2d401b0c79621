from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from atode.broker.protocol import Broker
from atode.broker.sqlite.broker import SqliteBroker
from atode.testing.clock import FakeClock
from atode.testing.contract import BrokerContract
from atode.testing.diagnosis_contract import DiagnosisContract


class TestSqlite(BrokerContract, DiagnosisContract):
    @pytest.fixture
    async def broker(self, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Broker]:
        broker = SqliteBroker(tmp_path / "jobs.db", clock)
        await broker.open()
        yield broker
        await broker.close()
