"""Connections that callers hand in, of libraries with more than one kind of database behind them.

None of those is imported before: whoever has such a connection has imported its library.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from atode.errors import BadOption


def kinds_of(connection: object) -> list[tuple[str, str]]:
    """The package and the name of each class that this is one of."""
    return [(kind.__module__.partition(".")[0], kind.__name__) for kind in type(connection).__mro__]


class SqlAlchemy(NamedTuple):
    """A session or connection of SQLAlchemy's."""

    given: Any
    is_async: bool
    is_session: bool
    dialect: str


def sqlalchemy_of(transaction: object) -> SqlAlchemy | None:
    """What this is, if it is SQLAlchemy's and one can write with it.

    Raises:
        BadOption: it is closed, or commits each statement by itself.
    """
    given: Any = transaction
    names = {name for package, name in kinds_of(given) if package == "sqlalchemy"}
    is_async = bool(names & {"AsyncSession", "AsyncConnection", "async_scoped_session"})
    if not is_async and not names & {"Session", "Connection", "scoped_session"}:
        return None
    is_session = any("session" in name.lower() for name in names)
    bind = given.get_bind() if is_session else given
    if not is_session and given.closed:
        raise closed()
    if _options(bind).get("isolation_level") == "AUTOCOMMIT":
        raise none_open("an engine without isolation_level='AUTOCOMMIT'")
    return SqlAlchemy(given, is_async, is_session, bind.dialect.name)


def _options(bind: Any) -> Mapping[str, object]:
    bind = getattr(bind, "sync_connection", None) or getattr(bind, "sync_engine", None) or bind
    found: Mapping[str, object] = bind.get_execution_options()
    return found


def closed() -> BadOption:
    """The error for a connection that is closed."""
    return BadOption("transaction is on a connection that is closed; open a new one")


def none_open(way: str) -> BadOption:
    """The error for a connection that would commit by itself, with the way to begin."""
    return BadOption(
        f"no transaction is open on this connection, so there is none to join; begin one: {way}"
    )


def elsewhere(kind: str, home: str) -> BadOption:
    """The error for a connection to a database of another kind than the jobs are in."""
    return BadOption(
        f"transaction is on a database of kind {kind}, and the jobs are in {home}; "
        "give the app the URL of that database, or do without transaction="
    )
