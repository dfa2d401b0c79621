"""The monthly report, and what turns it into a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True)
class WeekLine:
    """One week of the month."""

    week: str
    handed_in: int
    expected: int


@dataclass(frozen=True)
class UserLine:
    """One user's month."""

    user_id: int
    name: str
    handed_in: int
    expected: int
    hours: Decimal


@dataclass(frozen=True)
class MonthlyReport:
    """Who handed in how many weekly reports in one month. The same data, the same report."""

    month: str
    weeks: Sequence[WeekLine]
    users: Sequence[UserLine]

    @property
    def handed_in(self) -> int:
        """Weekly reports that are there."""
        return sum(week.handed_in for week in self.weeks)

    @property
    def expected(self) -> int:
        """Weekly reports that there would be if nobody had missed one."""
        return sum(week.expected for week in self.weeks)

    @property
    def hours(self) -> Decimal:
        """Hours that the reports tell of."""
        return sum((user.hours for user in self.users), Decimal(0))


class ReportRenderer(Protocol):
    """Makes a file of a report."""

    @property
    def format(self) -> str:
        """The ending of the file's name: `csv`."""
        ...

    @property
    def content_type(self) -> str:
        """`text/csv; charset=utf-8`"""
        ...

    def render(self, report: MonthlyReport) -> bytes:
        """The file: the same bytes for the same report."""
        ...
