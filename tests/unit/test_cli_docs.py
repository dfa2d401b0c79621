"""The pages about the command line name every command and option, and no other."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from atode.cli.main import app

DOCS = Path(__file__).parents[2] / "docs"
LANGUAGES = ["en", "ja"]
in_every_language = pytest.mark.parametrize("language", LANGUAGES)


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something by itself, with its words."""
    inner: Mapping[str, Any] = getattr(command, "commands", {})
    if not inner or command.invoke_without_command:
        yield path, command
    for name, each in inner.items():
        yield from commands(each, f"{path} {name}")


COMMANDS = dict(commands(typer.main.get_command(app), "atode"))


@cache
def sections(language: str) -> Mapping[str, str]:
    """What the page says about each command."""
    page = (DOCS / language / "CLI.md").read_text(encoding="utf-8")
    _, *parts = re.split(r"^## ", page, flags=re.MULTILINE)
    found = (part.partition("\n") for part in parts)
    return {title.strip("`"): text for title, _, text in found if title.startswith("`")}


@in_every_language
def test_the_page_has_a_section_for_each_command(language: str) -> None:
    assert sorted(sections(language)) == sorted(COMMANDS)


@in_every_language
@pytest.mark.parametrize("command", COMMANDS)
def test_a_section_has_an_example_and_names_every_option(language: str, command: str) -> None:
    text = sections(language)[command]
    # A switch that is on is named by what turns it off.
    options = {
        max(parameter.secondary_opts or parameter.opts, key=len)
        for parameter in COMMANDS[command].params
        if parameter.param_type_name == "option"
    } - {"--help"}

    assert re.search(rf"^(\$ )?{command} ?", text, flags=re.MULTILINE)
    assert not [option for option in sorted(options) if option not in text]


@in_every_language
def test_a_section_names_no_option_that_is_not_there(language: str) -> None:
    known = {
        option
        for command in COMMANDS.values()
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }

    named = set(re.findall(r"(?<![\w-])--[a-z-]+", "".join(sections(language).values())))

    assert named <= known
