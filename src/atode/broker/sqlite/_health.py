"""What can be wrong with the file, its folder and its disk."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

from atode.broker.sqlite._damage import AFTER_CRASH, damage, read_only, remedy
from atode.broker.sqlite._mounts import may_be_shared
from atode.broker.sqlite._schema import NEWEST, version_of
from atode.broker.sqlite._store import PATIENCE
from atode.broker.sqlite._trouble import translated
from atode.errors import BrokerUnavailable
from atode.finding import Finding, Severity

HUGE_LOG = 100_000_000
"""Bytes. The log starts again at 16 MB unless somebody reads for long."""

LITTLE_SPACE = 1_000_000_000
_NO_SPACE = 100_000_000
_MANY_FREE = 100_000_000

_MAGIC = b"SQLite format 3\0"
_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


class Opened(NamedTuple):
    """A file that can be read."""

    path: str
    db: sqlite3.Connection


def outside_findings(path: str) -> list[Finding]:
    """What can be seen without opening the file.

    Raises:
        BrokerUnavailable: there is none.
    """
    if not os.path.exists(path):
        raise BrokerUnavailable(f"there is no database {path}")
    return [*_folder(path), *_space(path), *_file_system(path), *_log(path)]


def opened(path: str) -> Opened:
    """Open the file for reading only; sqlite3.Error where it is no database."""
    with open(path, "rb") as file:
        start = file.read(16)
    if start and start != _MAGIC:
        raise sqlite3.DatabaseError("file is not a database")
    return Opened(path, read_only(path))


def inside_findings(file: Opened) -> list[Finding]:
    """What can be seen in the open file."""
    return [finding for check in _CHECKS for finding in check(file)]


def unreadable(path: str, error: Exception) -> Finding:
    """A file that does not let itself be looked at, with the reason and the way out."""
    if isinstance(error, sqlite3.DatabaseError) and str(error) == "file is not a database":
        text = "it is not an SQLite database; move it away, or choose another path"
    else:
        text = str(translated(error, path, PATIENCE))
    return _finding(path, _ERROR, "unreadable", text, "")


def is_ours(file: Opened) -> bool:
    """Whether its tables are those that this version of atode knows."""
    return version_of(file.db) == NEWEST and _has_jobs(file.db)


def empty_log(path: str) -> str:
    """Put the log into the database and start it anew; what was done."""
    before = _size(f"{path}-wal")
    with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as db:
        busy, _, _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    left = _size(f"{path}-wal")
    return "" if busy else f"{before - left:,} bytes of log put into the database"


def _folder(path: str) -> Iterator[Finding]:
    folder = os.path.dirname(path)
    # The log and its index are made in the folder anew after the last program has ended.
    blocked = [place for place in (path, folder) if not os.access(place, os.W_OK)]
    if blocked:
        text = f"this user may not write to {' and '.join(blocked)}: no job can be stored"
        remedy = f"run as the owner, or chown/chmod {folder} and what is in it"
        yield _finding(path, _ERROR, "read-only", text, remedy)


def _space(path: str) -> Iterator[Finding]:
    free = shutil.disk_usage(os.path.dirname(path)).free
    if free < LITTLE_SPACE:
        text = f"its disk has {free:,} bytes left; without any, no job can be stored or ended"
        remedy = "free space, or delete archived jobs and then run VACUUM on it"
        severity = _ERROR if free < _NO_SPACE else _WARNING
        yield _finding(path, severity, "disk", text, remedy)


def _file_system(path: str) -> Iterator[Finding]:
    if kind := may_be_shared(path):
        text = (
            f"it is on a network file system ({kind}), whose locks do not hold between machines: "
            "the file gets damaged"
        )
        yield _finding(path, _ERROR, "network-disk", text, "put it on a local disk, or use Redis")


def _log(path: str) -> Iterator[Finding]:
    size = _size(f"{path}-wal")
    if size > HUGE_LOG:
        text = (
            f"its log has grown to {size:,} bytes, which makes every call slower: some program "
            "holds a transaction open"
        )
        remedy = "end that program (such as an sqlite3 shell), then --fix empties the log"
        yield _finding(path, _WARNING, "log", text, remedy, fixable=True)


def _schema(file: Opened) -> Iterator[Finding]:
    version = version_of(file.db)
    tables = file.db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    marked = file.db.execute("PRAGMA application_id").fetchone()[0]
    own = "give atode a file of its own"
    if marked or (tables and not _has_jobs(file.db)):
        mark = f" (application id {marked})" if marked else ""
        yield _finding(file.path, _ERROR, "foreign", f"it belongs to another program{mark}", own)
    elif version > NEWEST:
        text = f"it has schema version {version}; this atode knows versions up to {NEWEST}"
        yield _finding(file.path, _ERROR, "schema", text, "upgrade this program")
    elif version < NEWEST:
        text = (
            f"it has schema version {version}, the newest is {NEWEST}: its jobs were not looked "
            "at; a client or worker brings it up to date"
        )
        yield _finding(file.path, _INFO, "not-looked-at", text, "")


def _journal(file: Opened) -> Iterator[Finding]:
    [mode] = file.db.execute("PRAGMA journal_mode").fetchone()
    if _has_jobs(file.db) and mode != "wal":
        text = f"its journal mode is {mode}: readers and writers wait for each other"
        remedy = "start a worker, which sets it to wal; find out which program has changed it"
        yield _finding(file.path, _WARNING, "journal", text, remedy)


def _damage(file: Opened) -> Iterator[Finding]:
    found = damage(file.db, AFTER_CRASH)
    if found is None:
        text = f"it is too large to be searched for damage within {AFTER_CRASH:g} s"
        by_hand = f"sqlite3 {file.path} 'PRAGMA quick_check'"
        yield _finding(file.path, _INFO, "not-looked-at", text, by_hand)
    elif found:
        text = f"it is damaged: {'; '.join(found)}"
        yield _finding(file.path, _ERROR, "damage", text, remedy(file.path))


def _free_pages(file: Opened) -> Iterator[Finding]:
    free, pages, size = (
        file.db.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("freelist_count", "page_count", "page_size")
    )
    if free * size > _MANY_FREE and free > pages / 2:
        text = f"{free * size:,} of its {pages * size:,} bytes are free, and only used again"
        remedy = f"to give them back: stop its workers, then sqlite3 {file.path} VACUUM"
        yield _finding(file.path, _INFO, "free-pages", text, remedy)


_CHECKS: Sequence[Callable[[Opened], Iterator[Finding]]] = (_schema, _journal, _damage, _free_pages)


def _has_jobs(db: sqlite3.Connection) -> bool:
    query = "SELECT count(*) FROM sqlite_master WHERE name IN ('jobs', 'numbers', 'tallies')"
    return bool(db.execute(query).fetchone() == (3,))


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


def _finding(
    path: str, severity: Severity, code: str, what: str, remedy: str, *, fixable: bool = False
) -> Finding:
    return Finding(severity, code, f"file {path}", what, remedy, fixable)
