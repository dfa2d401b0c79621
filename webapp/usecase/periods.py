"""Months and weeks, written as in ISO 8601: `2026-10` and `2026-W46`. All pure."""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from webapp.usecase.failure import BadArgument

_EARLIEST_YEAR = 2000
_IN_TIME = f"from {_EARLIEST_YEAR} on, and not in the future"
MONTH_LIMIT = f"a month such as 2026-10, {_IN_TIME}"
WEEK_LIMIT = f"a week such as 2026-W46, {_IN_TIME}"
_THURSDAY = 4


def month_of(instant: datetime, zone: ZoneInfo) -> str:
    """The month that the calendar on the wall shows at an instant."""
    return f"{instant.astimezone(zone):%Y-%m}"


def last_month(instant: datetime, zone: ZoneInfo) -> str:
    """The month before the one that the calendar on the wall shows at an instant."""
    first = instant.astimezone(zone).date().replace(day=1)
    return f"{first - timedelta(days=1):%Y-%m}"


def week_of(instant: datetime, zone: ZoneInfo) -> str:
    """The week, from Monday to Sunday, that an instant is in."""
    return _week(instant.astimezone(zone).date())


def last_week(instant: datetime, zone: ZoneInfo) -> str:
    """The week before the one that an instant is in."""
    return _week(instant.astimezone(zone).date() - timedelta(weeks=1))


def weeks_before(instant: datetime, zone: ZoneInfo, count: int) -> Sequence[str]:
    """The last `count` weeks that are over at an instant, oldest first."""
    today = instant.astimezone(zone).date()
    return [_week(today - timedelta(weeks=age)) for age in range(count, 0, -1)]


def check_month(month: str, *, latest: str) -> None:
    """Return if this is a month, and not after `latest`.

    Raises:
        BadArgument: it is not.
    """
    if not is_month(month) or int(month[:4]) < _EARLIEST_YEAR or month > latest:
        raise BadArgument("month", month, MONTH_LIMIT)


def is_month(text: str) -> bool:
    """Whether it is written like a month, whichever."""
    # `[0-9]`, since `\d` takes the digits of all scripts.
    return re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text) is not None


def check_week(week: str, *, latest: str) -> None:
    """Return if this is a week, and not after `latest`.

    Raises:
        BadArgument: it is not.
    """
    match = re.fullmatch(r"([0-9]{4})-W([0-9]{2})", week)
    if not match or int(match[1]) < _EARLIEST_YEAR or week > latest or not _exists(match):
        raise BadArgument("week", week, WEEK_LIMIT)


def weeks_of(month: str) -> Sequence[str]:
    """The weeks of a month: each week belongs to the month of its Thursday, as ISO gives it to
    the year of its Thursday. So a month has four or five, and no week belongs to two."""
    first = date.fromisoformat(f"{month}-01")
    thursday = first + timedelta(days=(_THURSDAY - first.isoweekday()) % 7)
    weeks: list[str] = []
    while thursday.month == first.month:
        weeks.append(_week(thursday))
        thursday += timedelta(weeks=1)
    return weeks


def _week(day: date) -> str:
    year, number, _ = day.isocalendar()
    return f"{year:04}-W{number:02}"


def _exists(match: re.Match[str]) -> bool:
    try:
        date.fromisocalendar(int(match[1]), int(match[2]), 1)
    except ValueError:
        return False
    return True
