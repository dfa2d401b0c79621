"""Make the report of a month, from the database to the store of files."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from webapp.service.monthly_report import MonthlyReport, ReportRenderer, UserLine, WeekLine
from webapp.service.report_files import ReportFiles
from webapp.service.report_records import ReportRecord, ReportRecords
from webapp.service.work_log import Work, WorkLog
from webapp.usecase.calendar import Calendar
from webapp.usecase.periods import check_month, weeks_of


@dataclass(frozen=True)
class ReportMade:
    """What the report says in one line."""

    month: str
    users: int
    handed_in: int
    expected: int


class MakeReport:
    """Files and record are named by the month: making a report again replaces it."""

    def __init__(
        self,
        work: WorkLog,
        csv: ReportRenderer,
        pdf: ReportRenderer,
        files: ReportFiles,
        records: ReportRecords,
        calendar: Calendar,
    ) -> None:
        self._work = work
        self._csv = csv
        self._pdf = pdf
        self._files = files
        self._records = records
        self._calendar = calendar

    async def run(self, month: str) -> ReportMade:
        """Make the report of a month; the present one's tells of what there is so far.

        Raises:
            BadArgument: there is no such month yet.
            TransientFailure, PermanentFailure: the database or the store of files cannot be
                used; files may have been replaced, and are again by the next attempt.
        """
        check_month(month, latest=self._calendar.this_month())
        weeks = weeks_of(month)
        report = add_up(month, weeks, await self._work.of_weeks(weeks))
        csv_key = await self._store(report, self._csv)
        pdf_key = await self._store(report, self._pdf)
        # Last, so that what is recorded is there.
        await self._records.save(
            ReportRecord(
                month=month,
                csv_key=csv_key,
                pdf_key=pdf_key,
                handed_in=report.handed_in,
                expected=report.expected,
                hours=report.hours,
                generated_at=self._calendar.now(),
            )
        )
        return ReportMade(month, len(report.users), report.handed_in, report.expected)

    async def _store(self, report: MonthlyReport, renderer: ReportRenderer) -> str:
        key = f"monthly/{report.month}.{renderer.format}"
        # In a thread: laying out a long report must not hold up the other jobs.
        content = await asyncio.to_thread(renderer.render, report)
        await self._files.put(key, content, renderer.content_type)
        return key


def add_up(month: str, weeks: Sequence[str], work: Sequence[Work]) -> MonthlyReport:
    """The report of a month from its weekly reports, which come sorted by user."""
    users = [
        _user_line(list(lines), len(weeks))
        for _, lines in groupby(work, key=lambda line: line.user_id)
    ]
    return MonthlyReport(month, [_week_line(week, work, len(users)) for week in weeks], users)


def _user_line(lines: Sequence[Work], expected: int) -> UserLine:
    return UserLine(
        user_id=lines[0].user_id,
        name=lines[0].name,
        handed_in=sum(line.week is not None for line in lines),
        expected=expected,
        hours=sum((line.hours for line in lines), Decimal(0)),
    )


def _week_line(week: str, work: Sequence[Work], expected: int) -> WeekLine:
    return WeekLine(week, sum(line.week == week for line in work), expected)
