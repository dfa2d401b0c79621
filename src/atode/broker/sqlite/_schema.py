"""Brings a file to the newest schema, forward only; `PRAGMA user_version` tells where it is."""

import sqlite3
from collections.abc import Iterator
from importlib.resources import files

from atode.errors import BrokerRefused

_FOLDER = files("atode.broker.sqlite") / "migrations"
_MIGRATIONS = tuple(
    file.read_text("utf-8")
    for file in sorted(_FOLDER.iterdir(), key=lambda file: file.name)
    if file.name.endswith(".sql")
)

NEWEST = len(_MIGRATIONS)


def migrate(db: sqlite3.Connection, path: str) -> None:
    """Apply what is missing, in one transaction; of many openers one does it, the others wait.

    Raises:
        BrokerRefused: a newer atode wrote the file, or it belongs to another program.
        sqlite3.OperationalError: somebody else is at it; to be repeated.
    """
    if version_of(db) == NEWEST:
        return
    db.execute("BEGIN IMMEDIATE")
    version = version_of(db)
    if version > NEWEST:
        raise BrokerRefused(
            f"{path} has schema version {version}; this atode knows versions up to {NEWEST}. "
            "A newer atode wrote the file: upgrade this program, or give it a file of its own"
        )
    if version == 0 and db.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
        raise BrokerRefused(
            f"{path} holds the tables of another program; give atode a file of its own"
        )
    for text in _MIGRATIONS[version:]:
        for statement in _statements(text):
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {NEWEST}")
    db.execute("COMMIT")


def version_of(db: sqlite3.Connection) -> int:
    """How many migrations a file has."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    return version


def _statements(text: str) -> Iterator[str]:
    # Not executescript: it commits before it starts.
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
