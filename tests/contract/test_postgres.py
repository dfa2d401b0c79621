from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import psycopg
import pytest

from atode.broker.postgres.broker import PostgresBroker
from atode.broker.protocol import Broker
from atode.testing.clock import FakeClock
from atode.testing.contract import BrokerContract
from tests.contract import differences
from tests.servers.postgres import PostgresServer, system_programs
from tests.servers.postgres_databases import PostgresDatabases

# The one that the other tests use, and the one of the machine, which is older.
KINDS = ["newest", "older"] if system_programs() else ["newest"]


@pytest.fixture(scope="session")
def older_databases() -> Iterator[PostgresDatabases]:
    programs = system_programs()
    assert programs
    with PostgresServer(programs=programs) as server:
        yield PostgresDatabases(server)


class TestPostgres(BrokerContract):
    differences = differences.POSTGRES

    @pytest.fixture(params=KINDS)
    def url(self, request: pytest.FixtureRequest) -> Iterator[str]:
        kind = "postgres" if request.param == "newest" else "older"
        databases: PostgresDatabases = request.getfixturevalue(f"{kind}_databases")
        with databases.one() as url:
            yield url

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
