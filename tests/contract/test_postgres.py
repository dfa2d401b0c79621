from collections.abc import AsyncIterator, Iterator

import pytest

from atode.broker.postgres.broker import PostgresBroker
from atode.broker.protocol import Broker
from atode.testing.clock import FakeClock
from atode.testing.contract import BrokerContract
from atode.testing.diagnosis_contract import DiagnosisContract
from tests.servers.postgres import PostgresServer, system_programs
from tests.servers.postgres_databases import PostgresDatabases


@pytest.fixture(scope="session")
def older_databases() -> Iterator[PostgresDatabases]:
    """Of the server that the machine has itself, which is older than the other tests' server."""
    programs = system_programs()
    if programs is None:
        pytest.skip("no PostgreSQL from Debian's packages")
    with PostgresServer(programs=programs) as server:
        yield PostgresDatabases(server)


class TestPostgres(BrokerContract, DiagnosisContract):
    @pytest.fixture(params=["newest", "older"])
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
