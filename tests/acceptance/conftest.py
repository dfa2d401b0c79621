from collections.abc import Iterator

import pytest

from tests.acceptance.application import (
    Application,
    redis_variables,
    running,
    sqlite_variables,
)
from tests.acceptance.company import Company, company
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer


@pytest.fixture(scope="module", params=["sqlite", "redis"])
def app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Application]:
    """Both servers, once on the demo's SQLite file and once on Redis."""
    folder = tmp_path_factory.mktemp("webapp")
    if request.param == "sqlite":
        with running(sqlite_variables(folder), folder) as application:
            yield application
    else:
        with RedisServer() as redis, running(redis_variables(redis.port), folder) as application:
            yield application


@pytest.fixture
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The application on SQLite, with the world around it; its servers are not started yet."""
    with company(tmp_path_factory.mktemp("company")) as firm:
        yield firm


@pytest.fixture
def remote(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> Iterator[Company]:
    """The same on Redis and PostgreSQL."""
    with company(tmp_path_factory.mktemp("company"), postgres_server) as firm:
        yield firm


@pytest.fixture(params=["local", "remote"])
def firm(request: pytest.FixtureRequest) -> Company:
    """Once the one and once the other."""
    found: Company = request.getfixturevalue(request.param)
    return found
