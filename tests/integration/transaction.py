"""What handlers and callers do in transactions of their own."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import sqlalchemy

from atode import NotHeld, current_job

EFFECT = "INSERT INTO effects VALUES (1)"


class Undo(Exception):
    """Rolls back."""


def affect(connection: Any) -> Any:
    """The effect, in the words of each library; to be awaited where connections are."""
    if "sqlalchemy" in type(connection).__module__:
        return connection.execute(sqlalchemy.text(EFFECT))
    if hasattr(connection, "execute"):
        return connection.execute(EFFECT)
    with connection.cursor() as cursor:
        return cursor.execute(EFFECT)


def first_attempt() -> bool:
    job = current_job()
    assert job is not None
    return job.retried == 0


@contextmanager
def noted(refused: list[NotHeld]) -> Generator[None]:
    """What completing raises inside, and goes on raising."""
    try:
        yield
    except NotHeld as error:
        refused.append(error)
        raise
