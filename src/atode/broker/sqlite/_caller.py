"""The caller's connection, as commands talk to it."""

import os
import socket
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, TypeVar, cast

from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._schema import NEWEST, version_of
from atode.broker.sqlite._transaction import Transaction
from atode.broker.sqlite._trouble import is_busy
from atode.broker.sqlite._writer import ring_up
from atode.callers import SqlAlchemy, elsewhere, none_open, sqlalchemy_of
from atode.errors import AtodeError, BadOption, BrokerUnavailable

T = TypeVar("T")

Command = Callable[[Transaction], T]

_KNOWN = "a sqlite3.Connection, or an SQLAlchemy session or connection"


class Caller(NamedTuple):
    """A connection of the caller's to the file at `path`."""

    given: sqlite3.Connection | SqlAlchemy
    path: str

    async def run(self, command: Command[T], other_way: str) -> T:
        """Run a command in its open transaction, on the event loop; `run_sync` if it blocks."""
        given = self.given
        if isinstance(given, SqlAlchemy) and given.is_async:
            work = partial(self._on_alchemy, is_session=given.is_session, command=command)
            done: T = await given.given.run_sync(work)
            return done
        if isinstance(given, SqlAlchemy):
            raise BadOption(
                f"transaction is {given.given!r:.80}, which blocks the event loop; "
                f"call {other_way} on its thread instead"
            )
        return self.run_sync(command, other_way)

    def run_sync(self, command: Command[T], other_way: str) -> T:
        """Run a command in its open transaction, on this thread."""
        given = self.given
        if not isinstance(given, SqlAlchemy):
            return self._on_plain(given, command)
        if given.is_async:
            raise BadOption(
                f"transaction is {given.given!r:.80}, which belongs to an event loop; "
                f"await {other_way} there instead of calling {other_way}_sync"
            )
        return self._on_alchemy(given.given, given.is_session, command)

    def _on_plain(self, db: sqlite3.Connection, command: Command[T]) -> T:
        try:
            db.total_changes  # noqa: B018 - it raises if the connection cannot be used
            if _commits_by_itself(db):
                raise none_open('connection.execute("BEGIN IMMEDIATE")')
            with _plain_rows(db):
                return self._run_on(db, command)
        except sqlite3.ProgrammingError as error:
            raise BadOption(
                f"transaction is on a connection that cannot be used: {error}"
            ) from None

    def _on_alchemy(self, given: Any, is_session: bool, command: Command[T]) -> T:
        connection = given.connection() if is_session else given
        return self._run_on(cast(sqlite3.Connection, _Alchemy(connection)), command)

    def _run_on(self, db: sqlite3.Connection, command: Command[T]) -> T:
        try:
            self._check(db)
            # Whoever has the right to write sees nothing that is out of date.
            db.execute(sql.TAKE_LOCK)
            transaction = Transaction(db)
            value = command(transaction)
            _ring_early(transaction)
            return value
        except AtodeError:
            raise
        except Exception as error:
            # SQLAlchemy's errors have SQLite's inside.
            if is_busy(getattr(error, "orig", None) or error):
                raise BrokerUnavailable(
                    f"{self.path} is locked by another transaction, or was written to since this "
                    'one began to read; begin it with "BEGIN IMMEDIATE", and try again'
                ) from error
            raise

    def _check(self, db: sqlite3.Connection) -> None:
        files = [row[2] for row in db.execute("PRAGMA database_list")]
        if not _is_same(files[0], self.path):
            raise BadOption(
                f"transaction is on the file {files[0]!r}, and the jobs are in {self.path!r}; "
                "connect to that one, or do without transaction="
            )
        if version_of(db) < NEWEST:
            raise BadOption(
                f"{self.path} is not prepared yet; run `atode migrate`, or enqueue something "
                "without transaction= first"
            )


def caller_of(transaction: object, path: str) -> Caller:
    """How to talk to this connection.

    Raises:
        BadOption: it is of no known kind, on another kind of database, or has no transaction open.
    """
    if isinstance(transaction, sqlite3.Connection):
        return Caller(transaction, path)
    found = sqlalchemy_of(transaction)
    if found is None:
        raise BadOption(f"transaction is {transaction!r:.120}; on SQLite it must be {_KNOWN}")
    if found.dialect != "sqlite":
        raise elsewhere(found.dialect, "SQLite")
    return Caller(found, path)


class _Alchemy:
    """What commands use of a sqlite3 connection, by way of SQLAlchemy's.

    So its own transaction begins with the first statement, wherever the connection lives.
    """

    text_factory: Any = str

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Sequence[object] = ()) -> Any:
        return self._connection.exec_driver_sql(statement, tuple(values))

    @property
    def total_changes(self) -> int:
        changes: int = self.execute("SELECT total_changes()").scalar_one()
        return changes


def _ring_early(transaction: Transaction) -> None:
    """Wake those whom the commit will concern, though nobody can tell when that is: their first
    step is to write that they are up for the next ring, and for that they wait in line."""
    if rings := transaction.rings():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as telephone:
            telephone.setblocking(False)
            ring_up(telephone, rings)


def _commits_by_itself(db: sqlite3.Connection) -> bool:
    if db.in_transaction:
        return False
    # From Python 3.12 there is `autocommit`; where it is not set, the older option counts.
    return db.isolation_level is None or getattr(db, "autocommit", None) is True


@contextmanager
def _plain_rows(db: sqlite3.Connection) -> Generator[None]:
    rows, texts = db.row_factory, db.text_factory
    db.row_factory, db.text_factory = None, str
    try:
        yield
    finally:
        db.row_factory, db.text_factory = rows, texts


def _is_same(file: str, path: str) -> bool:
    try:
        return bool(file) and os.path.samefile(file, path)
    except OSError:
        return False
