from collections.abc import Iterator
from typing import Any, cast

import pytest
from redis import Redis

from tests.servers.redis import RedisServer


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A server for all tests of this process that leave it running."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """An empty database."""
    with Redis(port=redis_server.port) as client:
        cast("Any", client).flushall()  # its own annotation is partial
    return redis_server.url
