"""Which monthly reports there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True)
class ReportRecord:
    """A report that lies in the store of files."""

    month: str
    csv_key: str
    pdf_key: str
    handed_in: int
    expected: int
    hours: Decimal
    generated_at: datetime


class ReportRecords(Protocol):
    """All of them. Each call may raise TransientFailure: the database cannot be used now."""

    async def save(self, record: ReportRecord) -> None:
        """Record a report; one of the same month is replaced."""
        ...

    async def get(self, month: str) -> ReportRecord | None:
        """The report of a month, or None if there is none."""
        ...

    async def newest(self, limit: int) -> Sequence[ReportRecord]:
        """Up to `limit` reports, the latest month first."""
        ...
