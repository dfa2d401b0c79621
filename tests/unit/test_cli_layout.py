"""Tables, and how instants and durations are written."""

import sys
import time
from collections.abc import Sequence

import pytest

from atode.cli._layout import block, fields, plain, shortened, table
from atode.cli._times import duration, iso, local, relative

ROWS = [["a", "1"], ["long", "20"]]


@pytest.fixture(autouse=True)
def pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the terminal in which the tests run."""
    for name in ("COLUMNS", "NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)


def yellow(row: Sequence[str]) -> str:
    return "yellow" if row[0] == "a" else ""


# Tables


def test_numbers_go_to_the_right() -> None:
    assert table(["NAME", "N"], ROWS) == "NAME   N\na      1\nlong  20"


def test_a_table_without_rows_is_its_heading() -> None:
    assert table(["NAME", "N"], []) == "NAME  N"


def test_a_table_that_does_not_fit_becomes_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "7")

    assert table(["NAME", "N"], ROWS) == "name  a\nn     1\n\nname  long\nn     20"


def test_an_elastic_column_gives_way_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "22")

    shown = table(["ID", "TEXT"], [["1", "x" * 30]], elastic=True)

    assert shown == f"ID  TEXT\n 1  {'x' * 17}…"


@pytest.mark.usefixtures("terminal")
def test_colours_are_for_terminals() -> None:
    shown = table(["NAME", "N"], ROWS, tint=yellow)

    assert shown == "\x1b[1mNAME   N\x1b[0m\n\x1b[33ma      1\x1b[0m\nlong  20"


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colours_gets_none(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    assert "\x1b" not in table(["NAME", "N"], ROWS, tint=yellow)


def test_values_of_fields_are_aligned() -> None:
    assert fields([("a", "1"), ("long", "2\n3")]) == "a     1\nlong  2\\n3"


# Texts


def test_wide_letters_count_twice() -> None:
    assert [shortened("あいう", width) for width in (6, 5, 4)] == ["あいう", "あい…", "あ…"]


def test_control_characters_become_escapes() -> None:
    assert plain("a\x1b[2J\tb\x07\ud800\u202e") == r"a\x1b[2J\tb\x07\ud800\u202e"
    assert block("a\x1b\n\tb\n") == "  a\\x1b\n      b"


# Times


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (0, "0s"),
        (0.25, "250ms"),
        (0.9996, "999ms"),
        (59.9, "59s"),
        (60, "1m"),
        (3725, "1h 2m"),
        (86_400, "1d"),
        (90_000, "1d 1h"),
        (1e9, "11574d 1h"),
        (1e300, "over 3000 years"),
        (float("inf"), "over 3000 years"),
        (float("nan"), "over 3000 years"),
    ],
)
def test_durations_have_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_instants_are_told_from_now() -> None:
    assert [relative(instant, 1000) for instant in (0, 1000.5, 1060, 940)] == [
        "-",
        "now",
        "in 1m",
        "1m ago",
    ]


def test_instants_are_local_for_people_and_utc_for_scripts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()

    shown = local(1_900_000_000.0, 1_900_000_060.0)

    monkeypatch.undo()
    time.tzset()
    assert shown == "2030-03-18 02:46:40+09:00 (1m ago)"
    assert iso(1_900_000_000.25) == "2030-03-17T17:46:40.250Z"


@pytest.mark.parametrize("instant", [0.0, -62_135_596_800.0, 1e300, float("inf"), float("nan")])
def test_instants_that_no_calendar_has_are_none(instant: float) -> None:
    assert iso(instant) is None
    assert local(instant, 1000.0) == "-"
