"""The monthly report: its figures, its files, and the order in which they are stored."""

import csv
import io
from decimal import Decimal
from typing import Any, cast

import pytest
from pypdf import PdfReader

from atode import Permanent
from tests.unit.webapp_office import CALENDAR
from webapp.jobqueue.processor import ReportProcessor
from webapp.service.csv_report import CsvReport
from webapp.service.failure import TransientFailure
from webapp.service.monthly_report import MonthlyReport
from webapp.service.pdf_report import PdfReport
from webapp.service.report_records import ReportRecord
from webapp.service.work_log import Work
from webapp.usecase.make_report import MakeReport, add_up
from webapp.usecase.read_reports import ReadReports, ReportFormat

WEEKS = ["2026-W40", "2026-W41"]


def work(user_id: int, week: str | None, hours: str = "0", name: str = "") -> Work:
    return Work(user_id, name or f"User {user_id}", week, Decimal(hours))


@pytest.fixture
def report() -> MonthlyReport:
    lines = [
        work(1, "2026-W40", "37.5"),
        work(1, "2026-W41", "40"),
        work(2, "2026-W41", "8", name="=1+1"),
        work(3, None, name="山田 <b>"),
    ]
    return add_up("2026-10", WEEKS, lines)


class Shelf:
    """`WorkLog`, `ReportFiles` and `ReportRecords` in one, with what was done in order."""

    def __init__(self, failure_at: str = "") -> None:
        self.done: list[str] = []
        self._failure_at = failure_at

    async def of_weeks(self, weeks: object) -> list[Work]:
        return [work(1, "2026-W40", "40")]

    async def put(self, key: str, content: bytes, content_type: str) -> None:
        if key == self._failure_at:
            raise TransientFailure("503")
        self.done.append(key)

    async def get(self, key: str) -> bytes | None:
        raise NotImplementedError

    async def save(self, record: ReportRecord) -> None:
        self.done.append(f"record of {record.month}")


def maker(shelf: Shelf) -> MakeReport:
    return MakeReport(shelf, CsvReport(), PdfReport(), shelf, shelf, CALENDAR)  # type: ignore[arg-type]


def test_the_figures_are_added_up_by_user_and_by_week(report: MonthlyReport) -> None:
    assert [(u.user_id, u.handed_in, u.hours) for u in report.users] == [
        (1, 2, Decimal("77.5")),
        (2, 1, Decimal(8)),
        (3, 0, Decimal(0)),
    ]
    assert [(w.week, w.handed_in, w.expected) for w in report.weeks] == [
        ("2026-W40", 1, 3),
        ("2026-W41", 2, 3),
    ]
    assert (report.handed_in, report.expected, report.hours) == (3, 6, Decimal("85.5"))


def test_the_table_is_read_by_spreadsheets_and_runs_nothing_in_them(report: MonthlyReport) -> None:
    content = CsvReport().render(report)

    assert content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert [line["name"] for line in lines] == ["User 1", "'=1+1", "山田 <b>"]
    assert lines[0] == {
        "month": "2026-10",
        "user_id": "1",
        "name": "User 1",
        "handed_in": "2",
        "expected": "2",
        "hours": "77.50",
    }


def test_the_pdf_has_chart_and_table(report: MonthlyReport) -> None:
    text = PdfReader(io.BytesIO(PdfReport().render(report))).pages[0].extract_text()

    for words in ("Weekly reports, 2026-10", "3 of 6 handed in (50%)", "2 / 3", "2026-W41"):
        assert words in text
    assert "=1+1" in text


@pytest.mark.parametrize(("name", "fonts"), [("Zoë …", 1), ("山田", 2)])
def test_only_names_that_need_it_are_set_in_the_japanese_font(name: str, fonts: int) -> None:
    report = add_up("2026-10", WEEKS, [work(1, None, name=name)])

    page = PdfReader(io.BytesIO(PdfReport().render(report))).pages[0]

    assert len(cast(Any, page)["/Resources"]["/Font"]) == fonts
    assert "Weekly reports" in page.extract_text()


def test_the_same_report_is_the_same_file(report: MonthlyReport) -> None:
    assert PdfReport().render(report) == PdfReport().render(report)
    assert CsvReport().render(report) == CsvReport().render(report)


def test_a_long_report_has_several_pages_and_an_empty_one_a_single_page() -> None:
    many = add_up("2026-10", WEEKS, [work(number, None) for number in range(200)])

    assert len(PdfReader(io.BytesIO(PdfReport().render(many))).pages) > 3
    nobody = add_up("2026-10", WEEKS, [])
    assert len(PdfReader(io.BytesIO(PdfReport().render(nobody))).pages) == 1


async def test_the_record_comes_last() -> None:
    shelf = Shelf()

    made = await maker(shelf).run("2026-10")

    assert shelf.done == ["monthly/2026-10.csv", "monthly/2026-10.pdf", "record of 2026-10"]
    assert (made.users, made.handed_in, made.expected) == (1, 1, 5)


async def test_without_both_files_there_is_no_record() -> None:
    shelf = Shelf(failure_at="monthly/2026-10.pdf")

    with pytest.raises(TransientFailure):
        await ReportProcessor(maker(shelf)).process("2026-10")

    assert shelf.done == ["monthly/2026-10.csv"]


@pytest.mark.parametrize("month", ["2026-13", "2026-12", "../2026-10"])
async def test_a_bad_month_is_permanent(month: str) -> None:
    with pytest.raises(Permanent, match="it must be a month"):
        await ReportProcessor(maker(Shelf())).process(month)


@pytest.mark.parametrize("month", ["", "x", "2026-13", "2026-1", "2026-10\0", "２０２６-10"])
async def test_what_is_no_month_is_looked_up_nowhere(month: str) -> None:
    class Records:
        """Would refuse some of these, as PostgreSQL does."""

        async def get(self, month: str) -> ReportRecord | None:
            raise AssertionError(f"asked for {month!r}")

    found = await ReadReports(cast(Any, Records()), Shelf()).fetch(month, ReportFormat.PDF)

    assert found is None
