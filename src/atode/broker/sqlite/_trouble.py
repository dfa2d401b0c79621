"""SQLite's errors become ours here, with path, cause and way out."""

import os
import sqlite3

from atode.errors import AtodeError, BrokerRefused, BrokerUnavailable

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

# What may pass: a full disk, a volume that is not mounted yet, too many open files.
_PASSING = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)


def is_busy(error: BaseException) -> bool:
    """Whether another connection is in the way, so that the same will soon succeed."""
    return _code(error) in _BUSY


def spoils_connection(error: BaseException) -> bool:
    """Whether the connection should be made anew before anything else is tried."""
    code = _code(error)
    return code in _PASSING or code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def translated(error: Exception, path: str, patience: float) -> Exception:
    """The error to raise for `error`: ours for SQLite's, otherwise the same.

    BrokerUnavailable where waiting may mend it, BrokerRefused where it does not.
    """
    if isinstance(error, AtodeError):
        return error
    if not isinstance(error, (sqlite3.Error, UnicodeEncodeError, OverflowError)):
        return error
    ours = _ours(error, path, patience)
    ours.__cause__ = error
    return ours


def _ours(error: Exception, path: str, patience: float) -> AtodeError:
    folder = os.path.dirname(path)
    code = _code(error)
    if code in _BUSY:
        return BrokerUnavailable(
            f"{path} was locked by another process for {patience:g} s; "
            "look for who holds a transaction open, such as a handler or an sqlite3 shell"
        )
    if code == sqlite3.SQLITE_CANTOPEN and not os.path.isdir(folder):
        return BrokerRefused(f"{path} cannot be opened: create the folder {folder} first")
    if code == sqlite3.SQLITE_CANTOPEN and os.path.isdir(path):
        return BrokerRefused(f"{path} is a folder; add the name of a file, such as /atode.db")
    if code == sqlite3.SQLITE_NOTADB:
        return BrokerRefused(
            f"{path} is not an SQLite database; move it away or choose another path"
        )
    if code == sqlite3.SQLITE_CORRUPT:
        return BrokerRefused(
            f"{path} is damaged ({error}); restore a backup, or save what can be read with "
            f"`sqlite3 {path} .recover`"
        )
    if code in _PASSING:
        return BrokerUnavailable(
            f"{path} cannot be used now: {error}; "
            f"check free space, permissions and mount of {folder}"
        )
    return BrokerRefused(f"{path} does not take this: {error}")


def _code(error: BaseException) -> int:
    # The low byte is the kind of error, the rest its variety.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
