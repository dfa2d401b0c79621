"""The connection to the file: runs commands in transactions, and waits while others write."""

import os
import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from atode.broker.sqlite._mounts import refuse_network
from atode.broker.sqlite._options import Options
from atode.broker.sqlite._schema import migrate
from atode.broker.sqlite._transaction import Ring, Transaction
from atode.broker.sqlite._trouble import is_busy, spoils_connection, translated
from atode.errors import BrokerRefused

PATIENCE = 10.0
"""Seconds for which a locked file is waited for."""

_OLDEST = (3, 34, 0)
_FIRST_PAUSE = 0.0002
_LONGEST_PAUSE = 0.005

Command = Callable[[Transaction], Any]


class Ending(NamedTuple):
    """What became of one command: its value, or the error to raise."""

    value: Any
    error: Exception | None = None


class Store:
    """One file. Used by one thread only; the connection is made on first use."""

    def __init__(self, path: str, options: Options) -> None:
        self._path = path
        self._options = options
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    def run(
        self, commands: Sequence[Command], *, writes: bool
    ) -> tuple[list[Ending], Sequence[Ring]]:
        """Run commands in one transaction; each alone if one of them fails.

        Returns an ending for each, and whom to ring up, both valid as the commit is done.
        """
        try:
            return self._patiently(commands, writes)
        except Exception as error:
            if len(commands) == 1 or is_busy(error) or self._db is None:
                ours = translated(error, self._path, PATIENCE)
                return [Ending(None, ours)] * len(commands), ()
        endings: list[Ending] = []
        rings: list[Ring] = []
        for command in commands:
            [ending], rung = self.run([command], writes=writes)
            endings.append(ending)
            rings += rung
        return endings, rings

    def close(self) -> None:
        """Let go of the file; the next command opens it again."""
        db, self._db = self._db, None
        if db is not None:
            db.close()

    def _patiently(
        self, commands: Sequence[Command], writes: bool
    ) -> tuple[list[Ending], Sequence[Ring]]:
        give_up = time.monotonic() + PATIENCE
        pause = _FIRST_PAUSE
        while True:
            try:
                return self._transact(commands, writes)
            except Exception as error:
                self._recover(error)
                if not is_busy(error) or time.monotonic() > give_up:
                    raise
            # Short and uneven, so that of several processes none is always too late.
            time.sleep(random.uniform(pause / 2, pause))
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _transact(
        self, commands: Sequence[Command], writes: bool
    ) -> tuple[list[Ending], Sequence[Ring]]:
        if self._db is None or _identity(self._path) != self._file:
            # Also when the file was removed or replaced under us: what we wrote to the old
            # one nobody would ever see.
            self.close()
            self._db = self._connected()
            self._file = _identity(self._path)
        # IMMEDIATE takes the right to write first, so nothing that is read inside can be
        # out of date when it is written.
        self._db.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        transaction = Transaction(self._db)
        endings = [Ending(command(transaction)) for command in commands]
        rings = transaction.rings()
        self._db.execute("COMMIT")
        return endings, rings

    def _recover(self, error: Exception) -> None:
        if self._db is None:
            return
        try:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        except sqlite3.Error:
            self.close()
        if spoils_connection(error):
            self.close()

    def _connected(self) -> sqlite3.Connection:
        if sqlite3.sqlite_version_info < _OLDEST:
            raise BrokerRefused(
                f"SQLite {sqlite3.sqlite_version} is too old for atode, which needs "
                f"{'.'.join(map(str, _OLDEST))} or newer"
            )
        if self._options.network == "refuse":
            refuse_network(self._path)
        # Without a time limit of SQLite's own: the pauses here are shorter than its.
        db = sqlite3.connect(self._path, timeout=0, isolation_level=None, cached_statements=256)
        try:
            _prepare(db, self._options.synchronous, self._path)
            migrate(db, self._path)
        except Exception:
            db.close()
            raise
        return db


def _identity(path: str) -> tuple[int, int] | None:
    try:
        file = os.stat(path)
    except OSError:
        return None
    return file.st_dev, file.st_ino


def _prepare(db: sqlite3.Connection, synchronous: str, path: str) -> None:
    mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise BrokerRefused(
            f"{path} is on a file system without shared memory (journal mode {mode!r}); "
            "put it on a local disk"
        )
    db.execute(f"PRAGMA synchronous = {synchronous}")
    db.execute("PRAGMA temp_store = MEMORY")
    db.execute("PRAGMA cache_size = -16000")
    # A checkpoint costs two syncs of the disk. 16 MB of log rather than 4 make them rarer.
    db.execute("PRAGMA wal_autocheckpoint = 4000")
    db.execute("PRAGMA journal_size_limit = 67108864")
