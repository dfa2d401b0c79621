from collections.abc import Iterator

import pytest

from tests.acceptance.application import (
    Application,
    redis_variables,
    running,
    sqlite_variables,
)
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
