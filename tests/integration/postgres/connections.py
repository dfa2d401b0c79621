"""Connections of every library that people have, each inside a transaction."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from typing import Any, cast

import asyncpg
import psycopg
import sqlalchemy
from psycopg.rows import dict_row

from tests.integration import alchemy

connect: Callable[..., Awaitable[Any]] = cast("Any", asyncpg).connect

# Asynchronous ones.


@asynccontextmanager
async def of_asyncpg(url: str) -> AsyncGenerator[Any]:
    connection = await connect(url)
    try:
        async with connection.transaction():
            yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def of_asyncpg_pool(url: str) -> AsyncGenerator[Any]:
    pool: Any = cast("Any", asyncpg).create_pool(url, min_size=1, max_size=1)
    async with pool, pool.acquire() as connection, connection.transaction():
        yield connection


@asynccontextmanager
async def of_psycopg(url: str) -> AsyncGenerator[Any]:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        yield connection


@asynccontextmanager
async def of_psycopg_with_dicts(url: str) -> AsyncGenerator[Any]:
    dicts: Any = dict_row
    opened = psycopg.AsyncConnection.connect(url, autocommit=True, row_factory=dicts)
    async with await opened as connection, connection.transaction():
        yield connection


def of_sqlalchemy_connection(url: str) -> AbstractAsyncContextManager[Any]:
    return alchemy.async_connection(url.replace("postgresql", "postgresql+asyncpg"))


def of_sqlalchemy_session(url: str) -> AbstractAsyncContextManager[Any]:
    return alchemy.async_session(url.replace("postgresql", "postgresql+psycopg"))


ASYNCHRONOUS = [
    of_asyncpg,
    of_asyncpg_pool,
    of_psycopg,
    of_psycopg_with_dicts,
    of_sqlalchemy_connection,
    of_sqlalchemy_session,
]

# Blocking ones.


@contextmanager
def of_blocking_psycopg(url: str) -> Generator[Any]:
    with psycopg.connect(url) as connection:
        yield connection


def of_blocking_sqlalchemy_connection(url: str) -> AbstractContextManager[Any]:
    return alchemy.connection(url.replace("postgresql", "postgresql+psycopg"))


def of_blocking_sqlalchemy_session(url: str) -> AbstractContextManager[Any]:
    return alchemy.session(url.replace("postgresql", "postgresql+psycopg"))


@contextmanager
def django(url: str) -> Generator[Any]:
    """Django's connection of this thread, as `from django.db import connection` gives it."""
    from django import setup
    from django.conf import settings
    from django.db import connection, connections

    if not settings.configured:
        cast("Any", settings).configure()
        setup()
    address = sqlalchemy.make_url(url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": address.database,
        "USER": address.username,
        "HOST": address.host,
        "PORT": address.port,
    }
    handler: Any = connections
    handler.settings = handler.configure_settings({"default": database})
    try:
        yield connection
    finally:
        handler.close_all()
        del handler["default"]


@contextmanager
def of_django(url: str) -> Generator[Any]:
    from django.db import transaction

    with django(url) as connection, cast("Any", transaction).atomic():
        yield connection


BLOCKING = [
    of_blocking_psycopg,
    of_blocking_sqlalchemy_connection,
    of_blocking_sqlalchemy_session,
    of_django,
]
