"""The people who hand in a report each week."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class User:
    """One of them."""

    id: int
    name: str
    email: str
    is_active: bool


@dataclass(frozen=True)
class Headcount:
    """How the active users stand in one week."""

    active: int
    handed_in: int
    reminded: int
    """Not handed in, but mailed already."""


class Staff(Protocol):
    """All of them. Each call may raise TransientFailure: the database cannot be asked now."""

    async def get(self, user_id: int) -> User | None:
        """The user, or None if there is none of this id."""
        ...

    async def has_handed_in(self, user_id: int, week: str) -> bool:
        """Whether the user's report of the week is there."""
        ...

    async def headcount(self, week: str) -> Headcount:
        """How many stand where."""
        ...

    async def to_remind(self, week: str, *, after: int, limit: int) -> Sequence[int]:
        """Ids above `after` of active users whose report is missing and who were not mailed
        yet, in their order."""
        ...
