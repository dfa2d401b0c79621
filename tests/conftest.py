from collections.abc import Callable, Iterator
from functools import partial

import pytest

from tests.servers.postgres import PostgresServer
from tests.servers.postgres_databases import PostgresDatabases
from tests.servers.redis import RedisServer, find_valkey_server
from tests.servers.redis_store import RedisStore


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A server for all tests of this process that leave it running."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """An empty database."""
    with RedisStore(redis_server.url) as store:
        store.do("FLUSHALL")
    return redis_server.url


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[RedisServer]:
    """Like `redis_server`; for suites that run on both."""
    with RedisServer(binary=find_valkey_server()) as server:
        yield server


@pytest.fixture
def valkey_url(valkey_server: RedisServer) -> str:
    """An empty database."""
    with RedisStore(valkey_server.url) as store:
        store.do("FLUSHALL")
    return valkey_server.url


@pytest.fixture
def redis_store(redis_url: str) -> Iterator[RedisStore]:
    """A look into that database past the broker."""
    with RedisStore(redis_url) as store:
        yield store


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A server for all tests of this process that leave it running."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: PostgresServer) -> PostgresDatabases:
    """Its databases that are used again."""
    return PostgresDatabases(postgres_server)


@pytest.fixture
def postgres_url(postgres_databases: PostgresDatabases) -> Iterator[str]:
    """A database with atode's newest schema and nothing in it."""
    with postgres_databases.one() as url:
        yield url


@pytest.fixture
def new_postgres_url(postgres_server: PostgresServer) -> str:
    """An empty database, without the schema, that no test has had before."""
    return postgres_server.new_database()


@pytest.fixture
def ask(postgres_server: PostgresServer, postgres_url: str) -> Callable[[str], str]:
    """A look into that database past the broker: what psql prints for a statement."""
    return partial(postgres_server.do, database=postgres_url.rpartition("/")[2])
