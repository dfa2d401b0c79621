"""Looking for damage in a file, for as long as it is worth."""

import os
import sqlite3
import time
from contextlib import closing
from urllib.parse import quote

from atode.errors import BrokerRefused

AT_START = 1.0
"""Seconds for a look when a worker starts: enough for some hundred megabytes."""

AFTER_CRASH = 60.0
"""Seconds for a look when the machine went down while the file was in use, or somebody asks."""

_MOST = 3
"""Places that are named."""


def read_only(path: str) -> sqlite3.Connection:
    """A connection to the file that changes nothing; others read and write meanwhile."""
    return sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, isolation_level=None, timeout=5)


def damage(db: sqlite3.Connection, seconds: float) -> list[str] | None:
    """What is wrong with the file, in SQLite's words; None if there was no time to see all."""
    limit = time.monotonic() + seconds
    db.set_progress_handler(lambda: int(time.monotonic() > limit), 100_000)
    try:
        rows = [_in_one_line(row[0]) for row in db.execute(f"PRAGMA quick_check({_MOST})")]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return None
    finally:
        db.set_progress_handler(None, 0)
    return [] if rows == ["ok"] else rows


def _in_one_line(text: object) -> str:
    return str(text).removeprefix("*** in database main ***\n").replace("\n", ", ")


def remedy(path: str) -> str:
    """What to do about it."""
    return (
        "stop all programs that use it, copy it, and restore a backup, or save what can be "
        f"read with `sqlite3 {path} .recover`"
    )


def was_cut_off(path: str) -> bool:
    """Whether the machine went down while somebody used the file; False if it cannot be told.

    The last program to close a file removes its log. A program that is killed leaves it, which
    does no harm; one that is older than the system's start was left by a crash of the machine.
    """
    try:
        written = os.stat(f"{path}-wal")
        # Seconds since the start; only Linux tells them.
        started = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    except (OSError, AttributeError):
        return False
    return written.st_size > 0 and written.st_mtime < started


def refuse_damaged(path: str, seconds: float) -> None:
    """Let pass a file in which no damage is found in so many seconds.

    Raises:
        BrokerRefused: it is damaged.
        sqlite3.Error: it cannot be read at all.
    """
    with closing(read_only(path)) as db:
        found = damage(db, seconds)
    if found:
        raise BrokerRefused(f"{path} is damaged ({'; '.join(found)}): {remedy(path)}")
