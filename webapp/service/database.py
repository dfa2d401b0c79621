"""The database of the application: connections, transactions, and what its errors mean."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, IntegrityError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from webapp.service.failure import PermanentFailure, TransientFailure

_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 60
_LOCK_SECONDS = 30
# As SQLite and as PostgreSQL say it, who says that a database or a role does not exist, too.
_NO_TABLE_OR_COLUMN = re.compile(r"no such (table|column)|(relation|column) .*does not exist")
Insert = postgresql.Insert | sqlite.Insert


class Database:
    """Connections are made when they are needed, so that programs start without it.

    Use it as an asynchronous context manager, so that it is closed in the end.
    """

    def __init__(self, engine: AsyncEngine, name: str) -> None:
        self._engine = engine
        self._name = name

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """A connection whose statements all count, or none where an error leaves the block.

        Raises:
            TransientFailure: the database cannot be used now; nothing was written, unless the
                connection broke during the commit itself.
            PermanentFailure: it refuses the values.
        """
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (IntegrityError, DataError) as error:
            raise PermanentFailure(self._text(error)) from error
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            raise TransientFailure(self._text(error)) from error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of all connections."""
        await self._engine.dispose()

    def _text(self, error: Exception) -> str:
        cause = getattr(error, "orig", None) or error
        reason = str(cause).partition("\n")[0].removeprefix(f"{type(cause)}: ")
        text = f"The database ({self._name}): {reason or type(cause).__name__}"
        if _is_about_tables(error, reason):
            text += ". Its tables are made by `python -m webapp.migrate`"
        return text


def _is_about_tables(error: Exception, reason: str) -> bool:
    return isinstance(error, NoSuchTableError) or bool(_NO_TABLE_OR_COLUMN.search(reason))


def sqlite_database(path: Path) -> Database:
    """A database in a file; one writes at a time, the others wait up to 30 s."""
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)), connect_args={"timeout": _LOCK_SECONDS}
    )

    # Python's driver would begin a transaction only at the first write, and without a lock:
    # two that read first and write then would fail instead of waiting for each other.
    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return Database(engine, f"SQLite file {path}")


def postgres_database(
    address: str, database: str, user: str, password: str, *, tls: bool
) -> Database:
    """A database on a PostgreSQL server at `address`, host:port."""
    host, _, port = address.rpartition(":")
    url = URL.create(
        "postgresql+asyncpg",
        username=user,
        password=password or None,
        host=host.strip("[]"),
        port=int(port),
        database=database,
    )
    engine = create_async_engine(
        url,
        # A server that was started anew leaves dead connections behind.
        pool_pre_ping=True,
        connect_args={
            "ssl": tls,
            "timeout": _CONNECT_SECONDS,
            "command_timeout": _STATEMENT_SECONDS,
        },
    )
    return Database(engine, f"PostgreSQL at {address}/{database}")


def insert(connection: AsyncConnection, table: Table) -> Insert:
    """An insertion that can say `ON CONFLICT`, in the words of this database."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
