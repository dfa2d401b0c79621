"""Fields of cron expressions: what they stand for, and what is refused."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from atode.cron import Cron
from atode.errors import BadOption, BadSchedule


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def ticks(spec: str, after: str, n: int) -> list[str]:
    """The next `n`, in UTC, to the second where it is not 0."""
    found = [datetime.fromtimestamp(tick, UTC) for tick in Cron.parse(spec).next(n, at(after))]
    return [f"{tick:%F %R}{tick:':%S'}".removesuffix("':00'").replace("'", "") for tick in found]


def days(spec: str, year: int = 2026, n: int = 4) -> list[str]:
    """The days after New Year's Eve on which `0 0 {spec}` fires."""
    return [tick[5:10] for tick in ticks(f"0 0 {spec}", f"{year - 1}-12-31 23:59", n)]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("30 9 * * *", ["2026-01-01 09:30", "2026-01-02 09:30"]),
        ("0 9,17 * * *", ["2026-01-01 09:00", "2026-01-01 17:00"]),
        ("*/40 * * * *", ["2026-01-01 00:40", "2026-01-01 01:00"]),
        ("5/40 * * * *", ["2026-01-01 00:05", "2026-01-01 00:45"]),
        ("10-20/5 3 * * *", ["2026-01-01 03:10", "2026-01-01 03:15"]),
        ("59 23 31 12 *", ["2026-12-31 23:59", "2027-12-31 23:59"]),
        ("0 0 ? * mon", ["2026-01-05 00:00", "2026-01-12 00:00"]),
        ("0 0 1 Jan,jul *", ["2026-07-01 00:00", "2027-01-01 00:00"]),
        ("  0\t0  1-3 *  * ", ["2026-01-02 00:00", "2026-01-03 00:00"]),
        ("*/90 * * * *", ["2026-01-01 01:00", "2026-01-01 02:00"]),
        ("0 0 29 2 *", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("15 30 9 * * *", ["2026-01-01 09:30:15", "2026-01-02 09:30:15"]),
        ("*/30 * * * * *", ["2026-01-01 00:00:30", "2026-01-01 00:01"]),
    ],
)
def test_fields_stand_for_times(spec: str, expected: list[str]) -> None:
    assert ticks(spec, "2026-01-01 00:00", 2) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("* * 0", ["01-04", "01-11", "01-18", "01-25"]),
        ("* * 7", ["01-04", "01-11", "01-18", "01-25"]),
        ("* * 5-7", ["01-02", "01-03", "01-04", "01-09"]),
        ("* * 1/2", ["01-02", "01-05", "01-07", "01-09"]),
        ("* * 7/2", ["01-04", "01-11", "01-18", "01-25"]),
        ("L * *", ["01-31", "02-28", "03-31", "04-30"]),
        ("L-2 * *", ["01-29", "02-26", "03-29", "04-28"]),
        ("1,L * *", ["01-01", "01-31", "02-01", "02-28"]),
        ("LW * *", ["01-30", "02-27", "03-31", "04-30"]),
        ("15W * *", ["01-15", "02-16", "03-16", "04-15"]),
        ("1W * *", ["01-01", "02-02", "03-02", "04-01"]),
        ("1w 8 *", ["08-03", "08-02", "08-01", "08-01"]),
        ("31W * *", ["01-30", "03-31", "05-29", "07-31"]),
        ("30W 8,11 *", ["08-31", "11-30", "08-30", "11-30"]),
        ("* * FRIL", ["01-30", "02-27", "03-27", "04-24"]),
        ("* * 5L", ["01-30", "02-27", "03-27", "04-24"]),
        ("* * MON#2", ["01-12", "02-09", "03-09", "04-13"]),
        ("* * SAT#5", ["01-31", "05-30", "08-29", "10-31"]),
        ("* * 7#1", ["01-04", "02-01", "03-01", "04-05"]),
        ("* * TUE#1,THUL", ["01-06", "01-29", "02-03", "02-26"]),
    ],
)
def test_days_are_found_in_their_month(spec: str, expected: list[str]) -> None:
    assert days(spec) == expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        # Both restricted: either.
        ("13 * FRI", ["01-02", "01-09", "01-13", "01-16"]),
        ("*/10 * SUN", ["01-01", "01-04", "01-11", "01-18"]),
        ("1/1 2 MON", ["02-01", "02-02", "02-03", "02-04"]),
        ("L * MON#1", ["01-05", "01-31", "02-02", "02-28"]),
        ("30 2 MON", ["02-02", "02-09", "02-16", "02-23"]),
        # One of them open: the other.
        ("* * FRI", ["01-02", "01-09", "01-16", "01-23"]),
        ("13 * ?", ["01-13", "02-13", "03-13", "04-13"]),
        ("*/1 * FRI", ["01-02", "01-09", "01-16", "01-23"]),
        ("5,* * FRI", ["01-02", "01-09", "01-16", "01-23"]),
    ],
)
def test_with_both_days_restricted_either_counts(spec: str, expected: list[str]) -> None:
    assert days(spec) == expected


@pytest.mark.parametrize(
    ("spec", "years"),
    [("29 2 *", [2096, 2104]), ("* 2 MON#5", [2072, 2112])],
)
def test_rare_dates_are_waited_for(spec: str, years: list[int]) -> None:
    first = Cron.parse(f"0 0 {spec}").after(at(f"{years[0] - 1}-06-01"))

    assert first is not None
    found = Cron.parse(f"0 0 {spec}").next(2, first - 1)
    assert [datetime.fromtimestamp(tick, UTC).year for tick in found] == years


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("61 * * * *", "minute 61 is out of 0 to 59"),
        ("* 24 * * *", "hour 24 is out of 0 to 23"),
        ("* * 0 * *", "day of month 0 is out of 1 to 31"),
        ("* * 1,32 * *", "day of month 32 is out of 1 to 31"),
        ("* * * 13 *", "month 13 is out of 1 to 12"),
        ("* * * * 8", "day of week 8 is out of 0 to 7"),
        ("60 * * * * *", "second 60 is out of 0 to 59"),
        ("5-70 * * * *", "minute 70 is out of 0 to 59"),
        ("a * * * *", "minute 'a' has 'a' where a number must be"),
        ("+5 * * * *", "minute '+5' has '+5' where a number must be"),
        ("² * * * *", "minute '²' has '²' where a number must be"),
        ("*-5 * * * *", "minute '*-5' has '*' where a number must be"),
        ("1-2-3 * * * *", "minute '1-2-3' has '2-3' where a number must be"),
        ("* * * JANUARY *", "month 'JANUARY' has 'JANUARY' where a number or one of JAN FEB "),
        ("* * * * L", "day of week 'L' has 'L' where a number or one of SUN MON "),
        ("* * * * MON#6", "week of month (#) 6 is out of 1 to 5"),
        ("* * * * MON#", "week of month (#) 'MON#' has '' where a number must be"),
        ("* * 32W * *", "day of month 32 is out of 1 to 31"),
        ("* * 1-5W * *", "day of month '1-5W' has '1-5' where a number must be"),
        ("* * L-31 * *", "days before the last (L-) 31 is out of 1 to 30"),
        ("* L * * *", "hour 'L' has 'L' where a number must be"),
        ("*/0 * * * *", "minute '*/0': the step must be a whole number from 1"),
        ("*/ * * * *", "minute '*/': the step must be a whole number from 1"),
        ("*/5/5 * * * *", "minute '*/5/5': the step must be a whole number from 1"),
        ("1,,2 * * * *", "minute '1,,2' has nothing before or after a comma"),
        ("* 22-2 * * *", "hour 22-2: the range ends before it begins; write the two parts with a"),
        ("* * * * SAT-SUN", "day of week SAT-SUN: the range ends before it begins"),
        ("* * * *", "4 fields; it must have five"),
        ("* * * * * * *", "7 fields; it must have five"),
        ("", "0 fields; it must have five"),
        ("0 0 30 2 *", "its date never comes: day of month 30, month 2, day of week *"),
        ("0 0 31 4,6,9,11 *", "its date never comes: day of month 31, month 4,6,9,11, "),
        ("0 0 31W 2 ?", "its date never comes"),
        ("0 0 L-29 2 ?", "its date never comes"),
    ],
)
def test_what_is_wrong_is_named_with_its_limits(spec: str, reason: str) -> None:
    with pytest.raises(BadSchedule) as caught:
        Cron.parse(spec)

    assert caught.value.reason.startswith(reason)
    assert caught.value.spec == spec
    assert str(caught.value) == f"schedule {spec!r}: {caught.value.reason}"


def test_a_date_that_comes_only_in_leap_years_is_a_date() -> None:
    assert days("L-28 2 *", 2026, 1) == ["02-01"]
    assert Cron.parse("0 0 L-28 2 *").after(at("2026-01-01")) == at("2028-02-01")


@pytest.mark.parametrize(
    "spec", [None, 5, b"* * * * *", ["*"], "* " * 300], ids=lambda s: f"{s!r:.9}"
)
def test_what_is_no_short_text_is_refused(spec: str) -> None:
    with pytest.raises(BadOption, match="it must be a text of up to 500 characters"):
        Cron.parse(spec)


fields = st.text("0123456789*/-,?LW#MONJAN @.:TZ=every+\0é", max_size=12)


@given(st.lists(fields, min_size=1, max_size=7).map(" ".join))
@example("TZ=\0 * * * * *")
@example("TZ=../etc/passwd * * * * *")
@example(f"TZ={'x' * 300} * * * * *")
@example("TZ=Europe * * * * *")
@example("@every 9999999999999999999h")
@example("0 0 00000000000000000000000001 * *")
def test_any_text_is_a_schedule_or_refused(spec: str) -> None:
    try:
        cron = Cron.parse(spec)
    except BadSchedule:
        return

    assert Cron.parse(str(cron)) == cron
    assert cron.after(0) is not None


def number(low: int, high: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(str)


days_of_month = st.one_of(
    st.just("*"), number(1, 31), number(1, 31).map("{}W".format), st.just("L")
)
days_of_week = st.one_of(st.just("*"), number(0, 7), number(0, 7).map("{}L".format))


def fits(on: date, day: str, weekday: str) -> bool:
    """The same rules once more, told day by day."""
    month_ends = (on + timedelta(days=1)).month != on.month
    named = weekday.rstrip("L").replace("7", "0") == str(on.isoweekday() % 7)
    of_the_last = (on + timedelta(days=7)).month != on.month
    by_weekday = weekday == "*" or (named and (of_the_last or "L" not in weekday))
    match day:
        case "*":
            return by_weekday
        case "L":
            by_day = month_ends
        case _ if day.endswith("W"):
            by_day = closest(on, int(day[:-1])) == on
        case _:
            by_day = on.day == int(day)
    return by_day if weekday == "*" else by_day or by_weekday


def closest(on: date, day: int) -> date | None:
    """The Monday to Friday of the same month that is closest to a day of it."""
    try:
        wanted = on.replace(day=day)
    except ValueError:
        return None
    for distance in (0, -1, 1, -2, 2):
        found = wanted + timedelta(days=distance)
        if found.month == on.month and found.isoweekday() <= 5:
            return found
    return None


@given(days_of_month, days_of_week, st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_days_are_those_of_a_calendar_looked_through_day_by_day(
    day: str, weekday: str, start: date
) -> None:
    expected = [
        on for number in range(70) if fits(on := start + timedelta(days=number), day, weekday)
    ]

    found = Cron.parse(f"0 0 {day} * {weekday}").next(len(expected) + 1, at(start.isoformat()) - 1)

    dates = [datetime.fromtimestamp(tick, UTC).date() for tick in found]
    assert dates[:-1] == expected
    assert dates[-1] >= start + timedelta(days=70)
