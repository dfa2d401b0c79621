"""A schedule that Go's asynq can read fires at the same instants here."""

import json
import random
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, TypeAdapter

from atode.cron import Cron
from atode.errors import BadSchedule
from tests.interop.program import build

NOON = 1_767_268_800  # 2026-01-01 12:00 UTC, a Thursday
COUNT = 20


class Fired(BaseModel):
    ticks: Sequence[float]
    error: str


@pytest.fixture
def in_go(programs: Path) -> "Go":
    return Go(build("go", programs))


class Go:
    """The parser that asynq's scheduler uses."""

    def __init__(self, program: Path) -> None:
        self.program = program

    def fires(self, specs: Sequence[str], after: float = NOON) -> Sequence[Fired]:
        asked = [{"spec": spec, "after": int(after), "count": COUNT} for spec in specs]
        done = subprocess.run(
            [self.program, "ticks"],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return TypeAdapter(list[Fired]).validate_json(done.stdout)


def field(draw: random.Random, low: int, high: int, names: Sequence[str] = ()) -> str:
    """A field as people write it: mostly open, otherwise up to three items."""
    if draw.random() < 0.4:
        return draw.choice("*?")
    return ",".join(item(draw, low, high, names) for _ in range(draw.choice([1, 1, 2, 3])))


def item(draw: random.Random, low: int, high: int, names: Sequence[str]) -> str:
    first, last = sorted(draw.choices(range(low, high + 1), k=2))
    step = draw.choice([1, 2, 3, 5, 7, 10, 15, 40])
    forms = [
        f"{first}",
        f"{first}-{last}",
        f"*/{step}",
        f"{first}-{last}/{step}",
        f"{first}/{step}",
    ]
    if names:
        forms += [names[first - low], names[first - low].title(), f"{names[first - low]}-{last}"]
    return draw.choice(forms)


def expressions(count: int) -> list[str]:
    draw = random.Random(7)
    months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
    return [
        f"{field(draw, 0, 59)} {field(draw, 0, 23)} {field(draw, 1, 31)} "
        f"{field(draw, 1, 12, months)} {field(draw, 0, 6, weekdays)}"
        for _ in range(count)
    ]


def test_expressions_mean_in_python_what_they_mean_in_go(in_go: Go) -> None:
    specs = expressions(2000)

    for spec, go in zip(specs, in_go.fires(specs), strict=True):
        assert not go.error
        if go.ticks or "never comes" not in refusal(spec):
            ours = Cron.parse(spec).next(COUNT, NOON)
            assert ours[: len(go.ticks)] == go.ticks, spec
            for beyond in ours[len(go.ticks) : len(go.ticks) + 1]:
                # Go gives up after five years.
                assert year(beyond) > year([NOON, *go.ticks][-1]) + 5, spec


def year(tick: float) -> int:
    return datetime.fromtimestamp(tick, UTC).year


def refusal(spec: str) -> str:
    try:
        Cron.parse(spec)
    except BadSchedule as problem:
        return problem.reason
    return ""


def test_macros_and_prefixes_mean_in_python_what_they_mean_in_go(in_go: Go) -> None:
    specs = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"]
    specs += [f"{prefix}=Asia/Tokyo {spec}" for spec in specs for prefix in ("TZ", "CRON_TZ")]

    found = in_go.fires(specs)

    assert {spec: go.ticks[:3] for spec, go in zip(specs, found, strict=True)} == {
        spec: Cron.parse(spec).next(len(go.ticks[:3]), NOON)
        for spec, go in zip(specs, found, strict=True)
    }
    assert all(go.ticks for go in found)


@pytest.mark.parametrize("duration", ["1s", "90s", "1h30m", "1.5h", "0.5m", "3000ms"])
def test_a_period_is_as_long_in_python_as_in_go(in_go: Go, duration: str) -> None:
    [go] = in_go.fires([f"@every {duration}"])

    ours = Cron.parse(f"@every {duration}").next(COUNT, NOON)

    assert [b - a for a, b in pairwise(ours)] == [b - a for a, b in pairwise(go.ticks)]


@pytest.mark.parametrize(
    "spec",
    [
        "60 * * * *",
        "0 24 * * *",
        "0 0 0 * *",
        "0 0 * 13 *",
        "0 0 * * XYZ",
        "*/0 * * * *",
        "5-1 * * * *",
        "1-2-3 * * * *",
        "* * * *",
        "@dayly",
        "@every x",
        "TZ=No/Where * * * * *",
    ],
)
def test_what_go_refuses_is_refused_in_python(in_go: Go, spec: str) -> None:
    [go] = in_go.fires([spec])

    assert go.error
    assert refusal(spec)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", "2025-03-30"),
        ("Europe/Berlin", "2025-10-26"),
        ("America/New_York", "2025-03-09"),
        ("America/New_York", "2025-11-02"),
        ("Asia/Tokyo", "2025-03-30"),
    ],
)
@pytest.mark.parametrize("fields", ["*/15 * * * *", "0 * * * *", "*/20 1-3 * * *", "30 */3 * * *"])
def test_a_star_in_hour_or_minute_follows_real_time_as_in_go(
    in_go: Go, zone: str, day: str, fields: str
) -> None:
    spec = f"CRON_TZ={zone} {fields}"
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).timestamp()

    [go] = in_go.fires([spec], midnight - 1)

    assert Cron.parse(spec).next(COUNT, midnight - 1) == go.ticks


def test_times_of_day_are_left_out_and_doubled_in_go_and_not_in_python(in_go: Go) -> None:
    spec = "CRON_TZ=Europe/Berlin 30 2 * * *"
    berlin = ZoneInfo("Europe/Berlin")

    def fires(day: str) -> tuple[int, int]:
        noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=berlin).timestamp()
        ticks = in_go.fires([spec], noon - 86_400)[0].ticks
        return sum(tick < noon for tick in ticks), len(Cron.parse(spec).due(noon - 86_400, noon, 9))

    assert fires("2025-03-30") == (0, 1)
    assert fires("2025-10-26") == (2, 1)
