"""Daylight saving: the schedules of cron where clocks are put forward and back.

The rule: a schedule with `*` in hour or minute follows real time; every other one fires once for
each of its times of day, at the jump where the clock jumps over it, and only the first time where
it shows a time twice.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atode.cron import Cron

DAY = 86_400


def local(tick: float, zone: str) -> str:
    return f"{datetime.fromtimestamp(tick, ZoneInfo(zone)):%d %H:%M%z}"


def ticks(spec: str, zone: str, day: str, n: int) -> list[str]:
    """The first `n` from midnight of a day on, as its clocks show them."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).timestamp()
    return [local(tick, zone) for tick in Cron.parse(spec, zone).next(n, midnight - 1)]


# Put forward


@pytest.mark.parametrize(
    ("zone", "day", "spec", "expected"),
    [
        # 02:00 → 03:00
        ("Europe/Berlin", "2025-03-30", "30 2 * * *", ["30 03:00+0200", "31 02:30+0200"]),
        ("Europe/Berlin", "2025-03-30", "0 30 2 * * *", ["30 03:00+0200", "31 02:30+0200"]),
        ("Europe/Berlin", "2025-03-30", "0 3 * * *", ["30 03:00+0200", "31 03:00+0200"]),
        ("Europe/Berlin", "2025-03-30", "0 2,3 * * *", ["30 03:00+0200", "31 02:00+0200"]),
        ("Europe/Berlin", "2025-03-30", "15,45 2 * * *", ["30 03:00+0200", "31 02:15+0200"]),
        ("Europe/Berlin", "2025-03-30", "30 2 30 3 *", ["30 03:00+0200", "30 02:30+0200"]),
        ("America/New_York", "2025-03-09", "30 2 * * *", ["09 03:00-0400", "10 02:30-0400"]),
        # 02:00 → 02:30
        ("Australia/Lord_Howe", "2025-10-05", "15 2 * * *", ["05 02:30+1100", "06 02:15+1100"]),
        ("Australia/Lord_Howe", "2025-10-05", "30 2 * * *", ["05 02:30+1100", "06 02:30+1100"]),
        # Midnight → 01:00
        ("America/Sao_Paulo", "2018-11-03", "0 0 * * *", ["03 00:00-0300", "04 01:00-0200"]),
        ("America/Sao_Paulo", "2018-11-04", "@daily", ["04 01:00-0200", "05 00:00-0200"]),
        ("Africa/Cairo", "2025-04-25", "30 0 * * *", ["25 01:00+0300", "26 00:30+0300"]),
        ("Asia/Tehran", "2022-03-22", "@daily", ["22 01:00+0430", "23 00:00+0430"]),
        # 04:00 → 07:00
        ("Antarctica/Casey", "2018-10-07", "0 5 * * *", ["07 07:00+1100", "08 05:00+1100"]),
        # The whole 30th
        ("Pacific/Apia", "2011-12-29", "0 2 * * *", ["29 02:00-1000", "31 02:00+1400"]),
        ("Pacific/Apia", "2011-12-29", "0 0 * * *", ["29 00:00-1000", "31 00:00+1400"]),
        ("Pacific/Apia", "2011-12-29", "0 2 30 12 *", ["30 02:00+1400", "30 02:00+1400"]),
        ("Pacific/Apia", "2011-12-29", "0-59 0-59 0-23 30 * *", ["30 00:00+1400"]),
        ("Kwajalein", "1993-08-20", "0 2 * * *", ["20 02:00-1200", "22 02:00+1200"]),
    ],
)
def test_a_time_that_the_clock_jumps_over_fires_at_the_jump(
    zone: str, day: str, spec: str, expected: list[str]
) -> None:
    assert ticks(spec, zone, day, len(expected)) == expected


@pytest.mark.parametrize(
    ("zone", "day", "spec", "expected"),
    [
        (
            "Europe/Berlin",
            "2025-03-30",
            "0 * * * *",
            ["30 00:00+0100", "30 01:00+0100", "30 03:00+0200"],
        ),
        ("Europe/Berlin", "2025-03-30", "*/20 2 * * *", ["31 02:00+0200", "31 02:20+0200"]),
        (
            "Europe/Berlin",
            "2025-03-30",
            "0 */2 * * *",
            ["30 00:00+0100", "30 04:00+0200", "30 06:00+0200"],
        ),
        (
            "Australia/Lord_Howe",
            "2025-10-05",
            "0,15 */2 * * *",
            ["05 00:00+1030", "05 00:15+1030", "05 04:00+1100"],
        ),
        ("Africa/Cairo", "2025-04-25", "@hourly", ["25 01:00+0300", "25 02:00+0300"]),
        ("Pacific/Apia", "2011-12-30", "@hourly", ["31 00:00+1400", "31 01:00+1400"]),
    ],
)
def test_a_star_in_hour_or_minute_makes_up_for_nothing(
    zone: str, day: str, spec: str, expected: list[str]
) -> None:
    assert ticks(spec, zone, day, len(expected)) == expected


# Put back


@pytest.mark.parametrize(
    ("zone", "day", "spec", "expected"),
    [
        # 03:00 → 02:00
        ("Europe/Berlin", "2025-10-26", "30 2 * * *", ["26 02:30+0200", "27 02:30+0100"]),
        ("Europe/Berlin", "2025-10-26", "0 30 2 * * *", ["26 02:30+0200", "27 02:30+0100"]),
        ("Europe/Berlin", "2025-10-26", "0 2,3 * * *", ["26 02:00+0200", "26 03:00+0100"]),
        ("America/New_York", "2025-11-02", "30 1 * * *", ["02 01:30-0400", "03 01:30-0500"]),
        # 02:00 → 01:30
        ("Australia/Lord_Howe", "2025-04-06", "45 1 * * *", ["06 01:45+1100", "07 01:45+1030"]),
        # Midnight → 23:00 of the day before, which so has two
        ("America/Sao_Paulo", "2018-02-17", "30 23 * * *", ["17 23:30-0200", "18 23:30-0300"]),
        ("America/Sao_Paulo", "2018-02-17", "0 0 * * *", ["17 00:00-0200", "18 00:00-0300"]),
        # 01:00 → midnight
        ("America/Havana", "2025-11-02", "0 0 * * *", ["02 00:00-0400", "03 00:00-0500"]),
        # By seven hours
        ("Antarctica/Vostok", "1994-01-31", "0 20 * * *", ["31 20:00+0700", "01 20:00+0000"]),
    ],
)
def test_a_time_that_the_clock_shows_twice_fires_the_first_time(
    zone: str, day: str, spec: str, expected: list[str]
) -> None:
    assert ticks(spec, zone, day, len(expected)) == expected


def test_what_is_asked_for_within_the_repeated_hour_is_later_than_that() -> None:
    second_ten_past_two = datetime(2025, 10, 26, 2, 10, tzinfo=ZoneInfo("Europe/Berlin"), fold=1)

    tick = Cron.parse("30 2 * * *", "Europe/Berlin").after(second_ten_past_two.timestamp())

    assert tick is not None
    assert local(tick, "Europe/Berlin") == "27 02:30+0100"


@pytest.mark.parametrize(
    ("zone", "day", "spec", "expected"),
    [
        (
            "Europe/Berlin",
            "2025-10-26",
            "0 * * * *",
            ["00:00+0200", "01:00+0200", "02:00+0200", "02:00+0100", "03:00+0100"],
        ),
        (
            "Europe/Berlin",
            "2025-10-26",
            "*/30 2 * * *",
            ["02:00+0200", "02:30+0200", "02:00+0100", "02:30+0100"],
        ),
        (
            "Australia/Lord_Howe",
            "2025-04-06",
            "*/30 1 * * *",
            ["01:00+1100", "01:30+1100", "01:30+1030"],
        ),
    ],
)
def test_a_star_in_hour_or_minute_runs_through_the_repeated_time_again(
    zone: str, day: str, spec: str, expected: list[str]
) -> None:
    found = ticks(spec, zone, day, len(expected))

    assert [tick[3:] for tick in found] == expected


# Never put


def test_where_clocks_are_never_put_a_time_of_day_is_a_distance() -> None:
    cron = Cron.parse("0 2 * * *", "Asia/Tokyo")

    found = cron.next(800, datetime(2024, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo")).timestamp())

    assert {later - earlier for earlier, later in pairwise(found)} == {DAY}
    assert local(found[0], "Asia/Tokyo") == "01 02:00+0900"


# In every zone


def dates(zone: ZoneInfo, first: int, last: int) -> Iterator[date]:
    """All days of these years that have a noon."""
    day = date(first, 1, 1)
    while day.year <= last:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
        if noon.astimezone(UTC).astimezone(zone).date() == day:
            yield day
        day += timedelta(days=1)


def changing(first: int, last: int) -> list[str]:
    """The zones whose clocks are put in these years, one for each way of putting them."""
    months = [
        datetime(year, month, 1, tzinfo=UTC)
        for year in range(first, last + 1)
        for month in range(1, 13)
    ]
    found: dict[tuple[timedelta | None, ...], str] = {}
    for zone in sorted(available_timezones() - {"localtime"}):
        ways = tuple(month.astimezone(ZoneInfo(zone)).utcoffset() for month in months)
        if len(set(ways)) > 1:
            found.setdefault(ways, zone)
    return list(found.values())


@pytest.mark.parametrize(
    ("zone", "first"),
    [(zone, 2021) for zone in changing(2021, 2025)]
    + [("Pacific/Apia", 2009), ("America/Sao_Paulo", 2015), ("Antarctica/Vostok", 1992)]
    + [("Asia/Tokyo", 2021), ("Antarctica/Casey", 2016)],
)
def test_no_day_is_left_out_or_doubled_in_five_years(zone: str, first: int) -> None:
    where = ZoneInfo(zone)
    start = datetime(first, 1, 1, tzinfo=where).timestamp()
    expected = list(dates(where, first, first + 4))

    found = Cron.parse("0 2 * * *", zone).next(len(expected), start)

    assert [datetime.fromtimestamp(tick, where).date() for tick in found] == expected


# Against a clock that is watched minute by minute

MOMENTS = {
    "Europe/Berlin": ["2025-03-30", "2025-10-26"],
    "America/New_York": ["2025-03-09", "2025-11-02"],
    "Australia/Lord_Howe": ["2025-04-06", "2025-10-05"],
    "America/Sao_Paulo": ["2018-02-17", "2018-11-04"],
    "Africa/Cairo": ["2025-04-25", "2025-10-31"],
    "Asia/Tehran": ["2022-03-22", "2022-09-22"],
    "Pacific/Apia": ["2011-04-02", "2011-09-24", "2011-12-30"],
    "America/Havana": ["2025-03-09", "2025-11-02"],
    "Antarctica/Casey": ["2018-03-11", "2018-10-07"],
    "Antarctica/Vostok": ["1994-02-01", "1994-11-01"],
    "Asia/Tokyo": ["2025-01-01"],
}
A_DAY = timedelta(days=1)
A_MINUTE = timedelta(minutes=1)


def watched(minute: str, hour: str, zone: str, start: int, end: int) -> list[float]:
    """The ticks of a cron daemon that looks at the clock on its wall once a minute."""
    minutes = set(range(60)) if minute == "*" else {int(part) for part in minute.split(",")}
    hours = set(range(24)) if hour == "*" else {int(part) for part in hour.split(",")}
    where = ZoneInfo(zone)
    found: list[float] = []
    latest = datetime.fromtimestamp(start - DAY, where).replace(tzinfo=None)
    for instant in range(start - DAY + 60, end, 60):
        wall = datetime.fromtimestamp(instant, where).replace(tzinfo=None)
        if "*" in (minute, hour):
            fires = wall.minute in minutes and wall.hour in hours
        else:
            if wall - latest > A_DAY:
                latest = wall - A_MINUTE
            fires = False
            while latest < wall:
                latest += A_MINUTE
                fires = fires or (latest.minute in minutes and latest.hour in hours)
        if fires and instant >= start:
            found.append(instant)
    return found


def some(high: int) -> st.SearchStrategy[str]:
    several = st.lists(st.integers(0, high), min_size=1, max_size=4)
    return st.one_of(st.just("*"), several.map(lambda numbers: ",".join(map(str, numbers))))


@given(
    some(59),
    some(23),
    st.sampled_from([(zone, day) for zone, days in MOMENTS.items() for day in days]),
    st.integers(-2000, 2000),
)
def test_the_ticks_are_those_of_a_watched_clock(
    minute: str, hour: str, moment: tuple[str, str], shift: int
) -> None:
    zone, day = moment
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(zone))
    start = int(noon.timestamp()) // 60 * 60 + shift * 60
    end = start + 2 * DAY
    cron = Cron.parse(f"{minute} {hour} * * *", zone)

    found = cron.next(3000, start - 1)

    assert [tick for tick in found if tick < end] == watched(minute, hour, zone, start, end)
    assert all(earlier < later for earlier, later in pairwise(found))
