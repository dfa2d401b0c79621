"""One transaction, as commands see it."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._statements import Bulk

Ring = tuple[str, int]
"""A kind of news, and the UDP port of somebody who waits for it."""


class Transaction:
    """Reads and writes, and remembers whom to tell once they are committed."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._ready: set[str] = set()
        self._due: dict[str, float] = {}
        self._cancelled: set[str] = set()
        self._is_defined = False

    def row(self, statement: str, *values: object) -> Any:
        """The one row of an answer as a tuple, or None."""
        return self._db.execute(statement, values).fetchone()

    def rows(self, statement: str, *values: object) -> list[Any]:
        """All rows of an answer."""
        return self._db.execute(statement, values).fetchall()

    def rows_as_stored(self, statement: str, *values: object) -> list[Any]:
        """All rows of an answer; lone surrogates stand for bytes of a text that are not UTF-8."""
        self._db.text_factory = _decoded
        try:
            return self.rows(statement, *values)
        finally:
            self._db.text_factory = str

    def change(self, statement: str, *values: object) -> int:
        """How many rows the statement changed."""
        return self._db.execute(statement, values).rowcount

    def change_many(self, bulk: Bulk, rows: Sequence[tuple[object, ...]]) -> int:
        """How many rows the statement changed or stored, given a row of values for each."""
        before = self._db.total_changes
        for statement, values in bulk.parts(rows):
            self._db.execute(statement, values)
        return self._db.total_changes - before

    def next_number(self) -> int:
        """The number that the next job in line gets."""
        number: int = self._db.execute(sql.NEXT_NUMBER).fetchone()[0]
        return number

    def give_numbers(self, below: int) -> None:
        """Mark all numbers below as given."""
        self._db.execute(sql.GIVE_NUMBERS, (below,))

    def now_ready(self, queue: str) -> None:
        """A job of the queue became pending."""
        self._ready.add(queue)

    def now_due(self, queue: str, due: float) -> None:
        """A job was stored that waits until `due`."""
        self._due[queue] = min(due, self._due.get(queue, due))

    def now_cancelled(self, queue: str) -> None:
        """A running job of the queue was cancelled."""
        self._cancelled.add(queue)

    def now_defined(self) -> None:
        """Definitions of schedules have changed."""
        self._is_defined = True

    def rings(self) -> list[Ring]:
        """Whom to ring after the commit; their rows are removed, they will ask again."""
        if not (self._ready or self._due or self._cancelled or self._is_defined):
            return []
        news = [("pending", queue, 0.0) for queue in self._ready]
        news += [("due", queue, due) for queue, due in self._due.items()]
        news += [("cancel", queue, 0.0) for queue in self._cancelled]
        news += [("defined", "", 0.0)] if self._is_defined else []
        rings = {
            (kind, port)
            for kind, queue, due in news
            for (port,) in self.rows(sql.LISTENERS, kind, queue, due)
        }
        for ring in rings:
            self.change(sql.RUNG, *ring)
        return list(rings)


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def array(values: Iterable[int | str | Sequence[str]]) -> str:
    """Many values as one, for `json_each`."""
    return json.dumps(list(values))
