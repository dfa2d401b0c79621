"""Enqueue in the transaction of a caller's `sqlite3` connection to the same file."""

import os
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from atode.broker.protocol import Refused
from atode.broker.sqlite import _queue
from atode.broker.sqlite._file import File
from atode.broker.sqlite._schema import NEWEST
from atode.broker.sqlite._transaction import Transaction
from atode.errors import BadOption
from atode.job import Job


class Within(File):
    """Stores jobs through connections of the caller's, on his thread."""

    _path: str

    async def enqueue_within(self, transaction: object, jobs: Sequence[Job]) -> Sequence[Refused]:
        """Store new jobs in the open transaction of a `sqlite3` connection of this thread."""
        return self.enqueue_within_sync(transaction, jobs)

    def enqueue_within_sync(self, transaction: object, jobs: Sequence[Job]) -> Sequence[Refused]:
        """Store new jobs in the open transaction of a `sqlite3` connection of this thread.

        Nobody can be told of a commit that somebody else makes: idle workers find the jobs
        when they look, within a second.
        """
        db = self._checked(transaction)
        with _plain_rows(db):
            return _queue.enqueue(Transaction(db), self._clock, jobs)

    def _checked(self, transaction: object) -> sqlite3.Connection:
        if not isinstance(transaction, sqlite3.Connection):
            raise BadOption(
                f"transaction is {transaction!r:.120}; on SQLite it must be a sqlite3.Connection"
            )
        try:
            files = [row[2] for row in transaction.execute("PRAGMA database_list")]
            version = transaction.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.ProgrammingError as error:
            raise BadOption(
                f"transaction is on a connection that cannot be used: {error}"
            ) from None
        if not _is_same(files[0], self._path):
            raise BadOption(
                f"transaction is on the file {files[0]!r}, and the jobs are in {self._path!r}; "
                "connect to that one, or enqueue without transaction="
            )
        if version < NEWEST:
            raise BadOption(
                f"{self._path} is not prepared yet; run `atode migrate`, or enqueue something "
                "without transaction= first"
            )
        if transaction.isolation_level is None and not transaction.in_transaction:
            raise BadOption(
                "no transaction is open on this connection, so there is none to join; begin one: "
                'connection.execute("BEGIN")'
            )
        return transaction


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
