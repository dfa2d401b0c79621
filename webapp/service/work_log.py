"""The weekly reports of some weeks, added up."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True)
class Work:
    """One user, and one week's report of his; `week` is None for a user without any."""

    user_id: int
    name: str
    week: str | None
    hours: Decimal


class WorkLog(Protocol):
    """All reports."""

    async def of_weeks(self, weeks: Sequence[str]) -> Sequence[Work]:
        """The reports of these weeks, and a line for each active user without one; by user.

        Raises:
            TransientFailure: the database cannot be asked now.
        """
        ...
