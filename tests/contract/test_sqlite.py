import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path

import pytest

from atode.broker.protocol import Broker
from atode.broker.sqlite.broker import SqliteBroker
from atode.testing.clock import FakeClock
from atode.testing.contract import BrokerContract
from tests.contract import differences


class TestSqlite(BrokerContract):
    differences = differences.SQLITE

    @pytest.fixture
    async def broker(self, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Broker]:
        broker = SqliteBroker(tmp_path / "jobs.db", clock)
        await broker.open()
        yield broker
        await broker.close()

    @pytest.fixture
    def transaction(self, tmp_path: Path) -> AbstractAsyncContextManager[object]:
        return _transaction(tmp_path / "jobs.db")


@asynccontextmanager
async def _transaction(path: Path) -> AsyncGenerator[object]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")
