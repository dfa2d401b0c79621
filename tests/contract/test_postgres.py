from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from atode.broker.postgres.broker import PostgresBroker
from atode.broker.protocol import Broker
from atode.testing.clock import FakeClock
from atode.testing.contract import BrokerContract
from atode.testing.diagnosis_contract import DiagnosisContract
from tests.servers.postgres import PostgresServer, find_programs, system_programs

# The one that the other tests use, and the one of the machine, which is older.
PROGRAMS: dict[str, Path | None] = {"newest": None}
if older := system_programs():
    PROGRAMS["older"] = older


@pytest.fixture(scope="module", params=list(PROGRAMS.values()), ids=list(PROGRAMS))
def server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    with PostgresServer(programs=request.param or find_programs()) as server:
        yield server


class TestPostgres(BrokerContract, DiagnosisContract):
    @pytest.fixture
    async def broker(self, clock: FakeClock, server: PostgresServer) -> AsyncIterator[Broker]:
        broker = PostgresBroker(server.new_database(), clock)
        await broker.open()
        yield broker
        await broker.close()
