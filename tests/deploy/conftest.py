import signal
from collections.abc import Iterator

import pytest

from tests.acceptance.application import Application
from tests.deploy.stack import Stack, running, stack
from tests.servers.postgres import PostgresServer


@pytest.fixture(scope="session")
def neighbours(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> Iterator[Stack]:
    """What the compose file starts around the application; its tables are made."""
    with stack(tmp_path_factory.mktemp("compose"), postgres_server) as found:
        with found.program("migrate") as migrate:
            assert migrate.ended() == 0, migrate.err
        yield found


@pytest.fixture(scope="session")
def composed(neighbours: Stack) -> Iterator[Application]:
    """Both servers of the compose file, which stop cleanly in the end."""
    with running(neighbours) as application:
        yield application
        for program in (application.server, application.worker):
            program.send(signal.SIGTERM)
            assert program.ended() == 0, program.err
