"""The caller's transaction: connections of other libraries, as this broker talks to them.

None of them is imported: whoever has such a connection has imported its library.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple, cast

from atode.broker.postgres._link import Rows
from atode.callers import closed, elsewhere, kinds_of, none_open, sqlalchemy_of
from atode.errors import BadOption

_PARAMETER = re.compile(r"\$(\d+)")
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)

_IDLE = 0  # psycopg.pq.TransactionStatus
_IN_ERROR = 3

_KNOWN = (
    "an asyncpg connection, a psycopg connection, an SQLAlchemy session or connection, "
    "or Django's connection"
)


class Session(NamedTuple):
    """A way to run a statement in the caller's transaction; the answer may have to be awaited."""

    execute: Callable[[str, Sequence[object]], Any]
    is_async: bool


def session_of(transaction: object) -> Session:
    """How to talk to this connection.

    Raises:
        BadOption: it is of no known kind, is closed, is on another kind of database, or has no
            transaction open, so that there is nothing to join.
    """
    connection: Any = transaction
    kinds = kinds_of(connection)
    for family, of_family in (
        ("asyncpg", _asyncpg),
        ("psycopg", _psycopg),
        ("psycopg2", _psycopg2),
        ("sqlalchemy", _sqlalchemy),
        ("django", _django),
    ):
        if any(package == family for package, _ in kinds):
            session = of_family(connection, {name for _, name in kinds})
            if session is not None:
                return session
    raise BadOption(f"transaction is {transaction!r:.120}; on PostgreSQL it must be {_KNOWN}")


def _asyncpg(connection: Any, names: set[str]) -> Session | None:
    if not names & {"Connection", "PoolConnectionProxy"}:
        return None
    if connection.is_closed():
        raise closed()
    if not connection.is_in_transaction():
        raise none_open("async with connection.transaction():")

    async def execute(text: str, values: Sequence[object]) -> Rows:
        rows: Rows = await connection.fetch(text, *values)
        return rows

    return Session(execute, is_async=True)


def _psycopg(connection: Any, names: set[str]) -> Session | None:
    if not names & {"Connection", "AsyncConnection"}:
        return None
    if connection.closed:
        raise closed()
    status = int(connection.info.transaction_status)
    if connection.autocommit and status == _IDLE:
        raise none_open("with connection.transaction():")
    if status == _IN_ERROR:
        raise _failed()
    tuples = import_module("psycopg.rows").tuple_row

    def execute(text: str, values: Sequence[object]) -> Rows:
        with connection.cursor(row_factory=tuples) as cursor:
            cursor.execute(*_with_names(text, values))
            return _rows(cursor.fetchall())

    async def execute_async(text: str, values: Sequence[object]) -> Rows:
        async with connection.cursor(row_factory=tuples) as cursor:
            await cursor.execute(*_with_names(text, values))
            return _rows(await cursor.fetchall())

    if "AsyncConnection" in names:
        return Session(execute_async, is_async=True)
    return Session(execute, is_async=False)


def _psycopg2(connection: Any, names: set[str]) -> Session | None:
    if "connection" not in names:
        return None
    if connection.closed:
        raise closed()
    status = int(connection.get_transaction_status())
    if connection.autocommit and status == _IDLE:
        raise none_open("connection.autocommit = False")
    if status == _IN_ERROR:
        raise _failed()
    return Session(_by_cursor(connection), is_async=False)


def _sqlalchemy(connection: Any, names: set[str]) -> Session | None:
    found = sqlalchemy_of(connection)
    if found is None:
        return None
    if found.dialect != "postgresql":
        raise elsewhere(found.dialect, "PostgreSQL")
    text_of = import_module("sqlalchemy").text

    def execute(text: str, values: Sequence[object]) -> Rows:
        return _rows(connection.execute(text_of(_with_colons(text)), _named(values)))

    async def execute_async(text: str, values: Sequence[object]) -> Rows:
        return _rows(await connection.execute(text_of(_with_colons(text)), _named(values)))

    return Session(execute_async if found.is_async else execute, is_async=found.is_async)


def _django(connection: Any, names: set[str]) -> Session | None:
    if not names & {"BaseDatabaseWrapper", "ConnectionProxy"}:
        return None
    if connection.vendor != "postgresql":
        raise elsewhere(connection.vendor, "PostgreSQL")
    if connection.get_autocommit() and not connection.in_atomic_block:
        raise none_open("with django.db.transaction.atomic():")
    if connection.needs_rollback:
        raise _failed()
    return Session(_by_cursor(connection), is_async=False)


def _by_cursor(connection: Any) -> Callable[[str, Sequence[object]], Rows]:
    def execute(text: str, values: Sequence[object]) -> Rows:
        with connection.cursor() as cursor:
            cursor.execute(*_with_names(text, values))
            return _rows(cursor.fetchall())

    return execute


def _failed() -> BadOption:
    return BadOption(
        "transaction has failed, so that PostgreSQL takes nothing more in it; roll it back first"
    )


# Parameters, as other drivers write them.


def _named(values: Sequence[object]) -> dict[str, object]:
    return {f"p{number}": value for number, value in enumerate(values, 1)}


def _with_names(text: str, values: Sequence[object]) -> tuple[str, dict[str, object]]:
    return _as_percent(text), _named(values)


@lru_cache(64)
def _as_percent(text: str) -> str:
    return _PARAMETER.sub(r"%(p\1)s", _COMMENT.sub("", text).replace("%", "%%"))


@lru_cache(64)
def _with_colons(text: str) -> str:
    # SQLAlchemy takes a colon for the beginning of a parameter unless it is escaped.
    return _PARAMETER.sub(r":p\1", _COMMENT.sub("", text).replace(":", r"\:"))


def _rows(found: Iterable[Any]) -> Rows:
    # Some drivers give what their connections are set to give.
    return [
        tuple(cast("Mapping[str, Any]", row).values()) if _is_named(row) else tuple(row)
        for row in found
    ]


def _is_named(row: object) -> bool:
    return isinstance(row, Mapping)
