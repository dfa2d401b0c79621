"""The pages about schedules: their examples run, and both languages tell of the same."""

import doctest
import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from atode.cron import Cron
from atode.errors import BadSchedule

DOCS = Path(__file__).parents[2] / "docs"
LANGUAGES = ["en", "ja"]
in_every_language = pytest.mark.parametrize("language", LANGUAGES)
BERLIN = ZoneInfo("Europe/Berlin")


def page(language: str) -> str:
    return (DOCS / language / "Schedules.md").read_text(encoding="utf-8")


def section(language: str, number: int) -> str:
    return page(language).split("\n## ")[number]


def rows(text: str) -> list[list[str]]:
    """The cells of the tables' rows, without the headings."""
    lines = re.findall(r"^\| (`.*) \|$", text, flags=re.MULTILINE)
    return [line.split(" | ") for line in lines]


@in_every_language
def test_the_example_is_true(language: str) -> None:
    example = page(language).replace("```python\n", "").replace("from atode", ">>> from atode")
    test = doctest.DocTestParser().get_doctest(
        example.replace("```", "\n"), {}, "Schedules.md", None, 0
    )

    failed, attempted = doctest.DocTestRunner().run(test)

    assert (failed, attempted > 3) == (0, True)


@in_every_language
def test_the_shorthands_are_what_the_table_says(language: str) -> None:
    table = [row for row in rows(section(language, 7)) if row[0].startswith("`@")]

    assert len(table) == 5
    for names, meaning in table:
        for name in re.findall("`(.*?)`", names):
            assert Cron.parse(name).next(5, 0) == Cron.parse(meaning.strip("`")).next(5, 0)


@in_every_language
def test_the_errors_are_what_the_table_says(language: str) -> None:
    table = rows(section(language, -2))

    assert len(table) == 4
    for spec, message in table:
        with pytest.raises(BadSchedule) as caught:
            Cron.parse(spec.strip("`"))
        assert caught.value.reason == message


@in_every_language
def test_daylight_saving_in_berlin_is_what_the_table_says(language: str) -> None:
    found: dict[str, list[list[str]]] = {}
    for spec, *_ in rows(section(language, 10)):
        cron = Cron.parse(spec.strip("`"), "Europe/Berlin")
        nights = [datetime(2025, 3, 30, tzinfo=BERLIN), datetime(2025, 10, 26, tzinfo=BERLIN)]
        found[cron.spec] = [
            [
                f"{datetime.fromtimestamp(tick, BERLIN):%R}"
                for tick in cron.due(night.timestamp() - 1, night.replace(hour=4).timestamp(), 99)
            ]
            for night in nights
        ]

    assert found == {
        "30 2 * * *": [["03:00"], ["02:30"]],
        "0 2,3 * * *": [["03:00"], ["02:00", "03:00"]],
        "0 * * * *": [
            ["00:00", "01:00", "03:00", "04:00"],
            ["00:00", "01:00", "02:00", "02:00", "03:00", "04:00"],
        ],
        "*/20 2 * * *": [[], ["02:00", "02:20", "02:40"] * 2],
        "0 */2 * * *": [["00:00", "04:00"], ["00:00", "02:00", "02:00", "04:00"]],
    }


def test_both_languages_tell_of_the_same() -> None:
    english, japanese = (sorted(set(re.findall("`[^`\n]+`", page(each)))) for each in LANGUAGES)

    assert english == japanese
