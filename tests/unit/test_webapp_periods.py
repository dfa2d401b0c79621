"""Months and weeks: what was the last one, and which belong together."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.usecase.failure import BadArgument
from webapp.usecase.periods import (
    check_month,
    check_week,
    last_month,
    last_week,
    week_of,
    weeks_before,
    weeks_of,
)

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("instant", "zone", "month"),
    [
        ("2026-03-29T12:00:00+00:00", TOKYO, "2026-02"),
        ("2026-03-30T12:00:00+00:00", TOKYO, "2026-02"),
        ("2026-03-31T14:59:59+00:00", TOKYO, "2026-02"),
        ("2026-03-31T15:00:00+00:00", TOKYO, "2026-03"),  # midnight of April 1st there
        ("2026-03-31T15:00:00+00:00", NEW_YORK, "2026-02"),
        ("2024-03-31T12:00:00+00:00", TOKYO, "2024-02"),
        ("2026-01-01T00:00:00+09:00", TOKYO, "2025-12"),
        ("2025-12-31T23:59:59+09:00", TOKYO, "2025-11"),
        ("2026-01-01T00:00:00+00:00", NEW_YORK, "2025-11"),
        ("2026-11-01T00:00:00+09:00", TOKYO, "2026-10"),
    ],
)
def test_last_month_is_the_one_before_the_calendars(
    instant: str, zone: ZoneInfo, month: str
) -> None:
    assert last_month(datetime.fromisoformat(instant), zone) == month


@given(st.datetimes(datetime(2000, 2, 1), datetime(2100, 1, 1)))
def test_last_month_ends_the_day_before_this_one_begins(moment: datetime) -> None:
    instant = moment.replace(tzinfo=TOKYO)

    year, month = map(int, last_month(instant, TOKYO).split("-"))

    assert (year * 12 + month) == moment.year * 12 + moment.month - 1


@pytest.mark.parametrize(
    ("instant", "week"),
    [
        ("2026-11-23T09:00:00+09:00", "2026-W47"),  # a Monday morning
        ("2026-11-22T23:59:59+09:00", "2026-W46"),  # the Sunday before
        ("2027-01-04T09:00:00+09:00", "2026-W53"),
        ("2026-01-05T09:00:00+09:00", "2026-W01"),
    ],
)
def test_last_week_is_the_one_that_ended_on_sunday(instant: str, week: str) -> None:
    assert last_week(datetime.fromisoformat(instant), TOKYO) == week


def test_the_weeks_before_an_instant_come_oldest_first() -> None:
    instant = datetime(2026, 1, 14, tzinfo=UTC)

    assert weeks_before(instant, TOKYO, 3) == ["2025-W52", "2026-W01", "2026-W02"]
    assert week_of(instant, TOKYO) == "2026-W03"


def test_a_month_has_the_weeks_of_its_thursdays() -> None:
    assert weeks_of("2026-10") == ["2026-W40", "2026-W41", "2026-W42", "2026-W43", "2026-W44"]
    assert weeks_of("2026-02") == ["2026-W06", "2026-W07", "2026-W08", "2026-W09"]


def test_each_week_belongs_to_one_month() -> None:
    months = [f"{year}-{month:02}" for year in range(2000, 2041) for month in range(1, 13)]

    weeks = [week for month in months for week in weeks_of(month)]

    assert len(weeks) == len(set(weeks))
    days = (date(2041, 1, 1) - date(2000, 1, 1)).days
    assert abs(len(weeks) - days / 7) < 1
    assert timedelta(weeks=len(weeks)).days - days < 7


@pytest.mark.parametrize(
    "month",
    [
        "2026-13",
        "2026-00",
        "2026-1",
        "26-10",
        "2026-10\n",
        "",
        "2026/10",
        "1999-12",
        "2026-12",
        "٢٠٢٦-10",
        "../../x",
    ],
)
def test_what_is_no_month_or_not_here_yet_is_refused(month: str) -> None:
    with pytest.raises(BadArgument, match="it must be a month such as 2026-10, from 2000 on"):
        check_month(month, latest="2026-11")


@pytest.mark.parametrize(
    "week", ["2026-W54", "2026-W00", "2025-W53", "2026-46", "", "2026-W48", "1999-W10", "2026-W4"]
)
def test_what_is_no_week_or_not_here_yet_is_refused(week: str) -> None:
    with pytest.raises(BadArgument, match="it must be a week such as 2026-W46, from 2000 on"):
        check_week(week, latest="2026-W47")


def test_the_present_month_and_week_are_taken() -> None:
    check_month("2026-11", latest="2026-11")
    check_week("2026-W53", latest="2026-W53")
