"""Schedules: looking ahead, back and at what is due; macros, periods, time zones, texts."""

import doctest
import math
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from zoneinfo import TZPATH

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atode import cron as cron_module
from atode import expression
from atode.cron import Cron
from atode.errors import BadSchedule

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()  # a Thursday
HOUR = 3600


# Looking ahead and back


def test_a_tick_is_strictly_later_than_the_instant() -> None:
    hourly = Cron.parse("0 * * * *")

    assert hourly.after(NOON - 0.001) == NOON
    assert hourly.after(NOON) == NOON + HOUR
    assert hourly.after(NOON + 0.001) == NOON + HOUR


def test_the_tick_before_is_strictly_earlier_than_the_instant() -> None:
    hourly = Cron.parse("0 * * * *")

    assert hourly.before(NOON + 0.001) == NOON
    assert hourly.before(NOON) == NOON - HOUR
    assert hourly.before(NOON - 0.001) == NOON - HOUR


def test_ticks_are_between_1970_and_9998() -> None:
    yearly = Cron.parse("0 0 1 1 *")
    end = datetime(9998, 1, 1, tzinfo=UTC).timestamp()

    assert yearly.after(-math.inf) == yearly.after(-1) == 0
    assert yearly.before(0) is None
    assert yearly.before(1) == 0
    assert yearly.after(end - 1) is None
    assert yearly.after(math.inf) is None
    assert yearly.before(math.inf) == datetime(9997, 1, 1, tzinfo=UTC).timestamp()
    assert Cron.parse("0 0 1 6 *").before(86_400) is None


def test_the_next_ticks_are_as_many_as_asked_for() -> None:
    hourly = Cron.parse("0 * * * *")

    assert hourly.next(3, NOON) == [NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR]
    assert hourly.next(0, NOON) == []
    assert hourly.next(3, 1e12) == []


def test_due_ticks_include_the_end_and_not_the_beginning() -> None:
    hourly = Cron.parse("0 * * * *")

    assert hourly.due(NOON, NOON + 2 * HOUR, 10) == [NOON + HOUR, NOON + 2 * HOUR]
    assert hourly.due(NOON - 0.5, NOON + 0.5, 10) == [NOON]
    assert hourly.due(NOON, NOON + 0.5, 10) == []
    assert hourly.due(NOON + HOUR, NOON, 10) == []


def test_of_too_many_due_ticks_the_latest_are_told() -> None:
    assert Cron.parse("0 * * * *").due(0, NOON, 2) == [NOON - HOUR, NOON]


specs = st.sampled_from(
    ["* * * * * *", "*/7 * * * *", "30 2 * * *", "0 0 29 2 *", "0 12 * * MON#1", "@every 1h1s"]
)
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/Havana", "Pacific/Apia"])
instants = st.floats(0, 4e9)


@given(specs, zones, instants)
def test_looking_back_finds_what_looking_ahead_would_have(
    spec: str, zone: str, instant: float
) -> None:
    cron = Cron.parse(spec, zone)

    tick = cron.after(instant)

    assert tick is not None
    assert tick > instant
    earlier = cron.before(tick)
    assert earlier is None or earlier <= instant
    assert cron.before(tick + 0.5) == tick
    assert earlier is None or cron.after(earlier) == tick


# Macros and periods


@pytest.mark.parametrize(
    ("macro", "same"),
    [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * SUN"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
    ],
)
def test_a_macro_is_short_for_an_expression(macro: str, same: str) -> None:
    short = Cron.parse(macro, "Asia/Tokyo")

    assert short.next(20, NOON) == Cron.parse(same, "Asia/Tokyo").next(20, NOON)
    assert short.spec == macro


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("1s", 1),
        ("30s", 30),
        ("1h30m", 5400),
        ("1.5h", 5400),
        (".5m", 30),
        ("1m0.5s500ms", 61),
        ("2000000us", 2),
        ("1000000µs", 1),
        ("1000000μs", 1),
        ("3000000000ns", 3),
        ("87600h", 315_360_000),
    ],
)
def test_a_period_fires_at_its_multiples_since_1970(duration: str, seconds: int) -> None:
    every = Cron.parse(f"@every  {duration}")
    first = (NOON // seconds + 1) * seconds

    assert every.next(3, NOON) == [first, first + seconds, first + 2 * seconds]
    assert every.after(-1) == 0
    assert str(every) == f"@every {duration}"


def test_a_period_is_the_same_whenever_a_worker_starts() -> None:
    assert Cron.parse("@every 7m").after(NOON) == Cron.parse("@every 7m").after(NOON + 30)


@pytest.mark.parametrize(
    ("duration", "reason"),
    [
        ("", "duration '' must be like '30s', '1h30m' or '1.5h'"),
        ("30", "duration '30' must be like"),
        ("1d", "duration '1d' must be like"),
        ("-1s", "duration '-1s' must be like"),
        ("1h 30m", "duration '1h 30m' must be like"),
        ("1s!", "duration '1s!' must be like"),
        (".s", "duration '.s' must be like"),
        ("0s", "duration '0s' is 0 s; it must be from 1 to 315,360,000 whole seconds"),
        ("999ms", "duration '999ms' is 0.999 s; it must be from 1"),
        ("1.5s", "duration '1.5s' is 1.5 s; it must be from 1"),
        ("87601h", "duration '87601h' is 3.15364e+08 s; it must be from 1 to 315,360,000"),
    ],
)
def test_periods_of_other_forms_and_lengths_are_refused(duration: str, reason: str) -> None:
    with pytest.raises(BadSchedule) as caught:
        Cron.parse(f"@every {duration}")

    assert caught.value.reason.startswith(reason)


def test_unknown_macros_are_refused_with_the_known_ones() -> None:
    with pytest.raises(BadSchedule, match=r"'@dayly' is none of @yearly .* @hourly, and not of"):
        Cron.parse("@dayly")


# Time zones


@pytest.mark.parametrize("prefix", ["TZ", "CRON_TZ"])
def test_the_time_zone_can_stand_in_front(prefix: str) -> None:
    inside = Cron.parse(f" {prefix}=Asia/Tokyo  0 9 * * * ")

    assert inside == Cron.parse("0 9 * * *", timezone="Asia/Tokyo")
    assert inside.timezone == "Asia/Tokyo"
    assert inside.after(NOON) == NOON + 12 * HOUR  # 09:00 in Tokyo is 00:00 UTC


def test_without_a_time_zone_it_is_utc() -> None:
    assert Cron.parse("0 9 * * *") == Cron.parse("0 9 * * *", "UTC")
    assert Cron.parse("0 9 * * *").after(NOON) == NOON + 21 * HOUR
    assert Cron.parse("0 9 * * *") != Cron.parse("0 9 * * *", "Asia/Tokyo")


def test_a_time_zone_may_be_said_twice_but_not_two_of_them() -> None:
    Cron.parse("TZ=Asia/Tokyo 0 9 * * *", "Asia/Tokyo")

    with pytest.raises(BadSchedule, match="says time zone 'Asia/Tokyo', and timezone= says 'UTC'"):
        Cron.parse("TZ=Asia/Tokyo 0 9 * * *", "UTC")


def test_a_period_depends_on_no_time_zone() -> None:
    assert Cron.parse("TZ=Asia/Tokyo @every 5m") == Cron.parse("@every 5m", "Asia/Kolkata")
    assert Cron.parse("@every 5m", "Asia/Kolkata").timezone == "UTC"


@pytest.mark.parametrize("spec", ["0 9 * * *", "@every 5m"])
@pytest.mark.parametrize(
    ("zone", "reason"),
    [
        ("Asia/Tokio", "time zone 'Asia/Tokio' is unknown; did you mean 'Asia/Tokyo'?"),
        ("berlin", "time zone 'berlin' is unknown; did you mean 'Europe/Berlin'?"),
        ("new york", "time zone 'new york' is unknown; did you mean 'America/New_York'?"),
        ("europe/paris", "time zone 'europe/paris' is unknown; did you mean 'Europe/Paris'?"),
        ("+09:00", "time zone '+09:00' is unknown; a name is like 'Asia/Tokyo'"),
        ("../passwd", "time zone '../passwd' is unknown"),
        ("", "time zone is ''; it must be a name such as 'Asia/Tokyo'"),
        (9, "time zone is 9; it must be a name such as 'Asia/Tokyo'"),
        ("Local", "time zone 'Local' is another one on each machine, and all workers have to"),
        ("localtime", "time zone 'localtime' is another one on each machine"),
    ],
)
def test_unknown_time_zones_are_refused(spec: str, zone: str, reason: str) -> None:
    with pytest.raises(BadSchedule) as caught:
        Cron.parse(spec, zone)

    assert caught.value.reason.startswith(reason)


NOWHERE = """
import sys
{hide}
from atode.cron import Cron
try:
    print(Cron.parse("0 9 * * *", "Asia/Tokyo").after({noon}))
except ValueError as error:
    print(error)
"""


def without_system_zones(tmp_path: Path, hide: str = "") -> str:
    """What a process says that finds no zones in the operating system."""
    return subprocess.run(
        [sys.executable, "-c", NOWHERE.format(hide=hide, noon=NOON)],
        env={"PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_zones_are_known_where_the_operating_system_has_none(tmp_path: Path) -> None:
    assert str(tmp_path) not in TZPATH
    assert without_system_zones(tmp_path) == str(NOON + 12 * HOUR)


def test_without_any_zones_the_way_out_is_named(tmp_path: Path) -> None:
    said = without_system_zones(tmp_path, "sys.modules['tzdata'] = None")

    assert said == (
        "schedule '0 9 * * *': time zone 'Asia/Tokyo' is unknown, as is every other: "
        "this machine has no time zone data; pip install tzdata"
    )


# Texts


@pytest.mark.parametrize(
    ("spec", "zone", "text"),
    [
        ("0 9 * * MON", "Asia/Tokyo", "CRON_TZ=Asia/Tokyo 0 9 * * MON"),
        ("TZ=Asia/Tokyo 0  9 * * MON", None, "CRON_TZ=Asia/Tokyo 0 9 * * MON"),
        ("0 9 * * MON", None, "0 9 * * MON"),
        ("TZ=UTC @daily", None, "@daily"),
    ],
)
def test_the_text_is_asynqs(spec: str, zone: str | None, text: str) -> None:
    cron = Cron.parse(spec, zone)

    assert str(cron) == text
    assert Cron.parse(text) == cron
    assert hash(Cron.parse(text)) == hash(cron)


@pytest.mark.parametrize("module", [cron_module, expression])
def test_the_examples_of_the_docstrings_are_true(module: ModuleType) -> None:
    failed, attempted = doctest.testmod(module)

    assert (failed, attempted > 0) == (0, True)
