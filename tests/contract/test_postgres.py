from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from atode.broker.postgres.broker import PostgresBroker
from atode.broker.protocol import Broker
from atode.testing.clock import FakeClock
from atode.testing.contract import BrokerContract
from tests.contract import differences
from tests.servers.postgres import PostgresServer, find_programs, system_programs

# The one that the other tests use, and the one of the machine, which is older.
PROGRAMS: dict[str, Path | None] = {"newest": None}
if older := system_programs():
    PROGRAMS["older"] = older


@pytest.fixture(scope="module", params=list(PROGRAMS.values()), ids=list(PROGRAMS))
def server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    with PostgresServer(programs=request.param or find_programs()) as server:
        yield server


class TestPostgres(BrokerContract):
    differences = differences.POSTGRES

    @pytest.fixture
    def url(self, server: PostgresServer) -> str:
        return server.new_database()

    @pytest.fixture
    async def broker(self, clock: FakeClock, url: str) -> AsyncIterator[Broker]:
        broker = PostgresBroker(url, clock)
        await broker.open()
        yield broker
        await broker.close()

    @pytest.fixture
    def transaction(self, url: str) -> AbstractAsyncContextManager[object]:
        return _transaction(url)


@asynccontextmanager
async def _transaction(url: str) -> AsyncGenerator[object]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        yield connection
