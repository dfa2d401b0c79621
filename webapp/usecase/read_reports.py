"""Find and fetch monthly reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from webapp.service.report_files import ReportFiles
from webapp.service.report_records import ReportRecord, ReportRecords
from webapp.usecase.periods import is_month

_MOST = 24


class ReportFormat(StrEnum):
    """The files that each report has."""

    CSV = "csv"
    PDF = "pdf"


@dataclass(frozen=True)
class ReportFile:
    """A file of a report."""

    name: str
    content: bytes


class ReadReports:
    """Only what is recorded can be fetched: no part of a key comes from the caller.

    Each call may raise TransientFailure or PermanentFailure: the database or the store of
    files cannot be used.
    """

    def __init__(self, records: ReportRecords, files: ReportFiles) -> None:
        self._records = records
        self._files = files

    async def newest(self) -> Sequence[ReportRecord]:
        """The reports of the 24 latest months that have any, the latest first."""
        return await self._records.newest(_MOST)

    async def fetch(self, month: str, format: ReportFormat) -> ReportFile | None:
        """A report's file, or None if there is none."""
        # Anything may be asked for, and not every database takes every text.
        record = await self._records.get(month) if is_month(month) else None
        if record is None:
            return None
        key = record.csv_key if format is ReportFormat.CSV else record.pdf_key
        content = await self._files.get(key)
        return ReportFile(f"weekly-reports-{record.month}.{format}", content) if content else None
