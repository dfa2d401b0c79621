"""The building inspects itself: scripts and their folder."""

from importlib.resources import files

import pytest

from atode.broker.redis import _scripts

FOLDER = files("atode.broker.redis") / "lua"
FILES = sorted(entry.name for entry in FOLDER.iterdir())


def test_every_script_file_is_used_and_every_used_one_exists() -> None:
    assert sorted({file for script in _scripts.ALL for file in script.files}) == FILES


@pytest.mark.parametrize("name", FILES)
def test_a_script_starts_with_what_it_is_for(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")

    assert text.startswith(f"-- {name}: ")


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("_")])
def test_a_script_says_what_it_takes_and_gives(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")

    assert "\n-- KEYS  1 " in text
    assert "\n-- ARGV  1 " in text
    assert "\n-- Returns" in text or " Returns" in text
