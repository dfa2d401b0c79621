"""The languages of the page."""

import re
from pathlib import Path

import pytest

from webapp.server.page import __file__ as page_file
from webapp.server.texts import TEXTS, pick_language

SERVER = Path(page_file).parent


def test_both_languages_say_the_same_things() -> None:
    assert set(TEXTS) == {"en", "ja"}
    assert list(TEXTS["en"]) == list(TEXTS["ja"])


@pytest.mark.parametrize("name", TEXTS["en"])
def test_both_languages_fill_in_the_same_values(name: str) -> None:
    values = [sorted(re.findall(r"\{\w+\}", texts[name])) for texts in TEXTS.values()]

    assert values[0] == values[1]


def test_every_text_is_used_and_every_used_one_exists() -> None:
    files = [SERVER / "templates" / "page.html", *(SERVER / "static").glob("*.js")]
    used = set[str]()
    for file in files:
        used |= set(re.findall(r"\btexts\.([a-z_]+)", file.read_text("utf-8")))
    states = {name for name in TEXTS["en"] if name.startswith("state_")}

    assert set(TEXTS["en"]) == used | states


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "ja", "ja"),
        (None, "ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        (None, "de-DE,de;q=0.9,en;q=0.8,ja;q=0.7", "en"),
        ("ja", "en", "ja"),
        ("EN", "ja", "en"),
        ("xx", "ja", "ja"),
        ("../secret", "*", "en"),
    ],
)
def test_the_language_is_the_one_asked_for_or_else_the_browsers(
    asked: str | None, accepted: str, language: str
) -> None:
    assert pick_language(asked, accepted) == language
