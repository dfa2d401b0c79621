"""The documents of the API: each command runs as it stands and answers as promised."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.application import Application, running, sqlite_variables
from tests.acceptance.documented import Example, examples, run, shape
from tests.acceptance.program import ROOT
from tests.acceptance.test_openapi import OPERATIONS

PAGES = ["API.md", "Queue-Job.md"]
LANGUAGES = ["en", "ja"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    folder = tmp_path_factory.mktemp("demo")
    with running(sqlite_variables(folder), folder) as application:
        yield application


def document(language: str, page: str) -> Path:
    return ROOT / "docs" / language / page


@pytest.mark.parametrize("page", PAGES)
def test_every_command_runs_and_answers_as_promised(
    demo: Application, tmp_path: Path, page: str
) -> None:
    promised = examples(document("en", page))
    assert promised

    found = run([each.command for each in promised], tmp_path, demo.url.partition("//")[2])

    for example, ran in zip(promised, found, strict=True):
        assert ran.code == 0, f"{example.command}{ran.err}"
        if example.answer is not None:
            assert shape(json.loads(ran.out)) == shape(example.answer), example.command


@pytest.mark.parametrize("page", PAGES)
def test_both_languages_have_the_same_commands_and_answers(page: str) -> None:
    english, japanese = (examples(document(language, page)) for language in LANGUAGES)

    assert english == japanese


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_operation_is_documented_with_a_command(language: str) -> None:
    page = document(language, "API.md")
    commands: list[Example] = examples(page)
    text = page.read_text("utf-8")

    for operation in OPERATIONS:
        path = operation.partition(" ")[2]
        generic = path if not path.endswith("/run") else "/api/jobs/{job}/run"
        assert generic in text
        plain = path.partition("{")[0].rstrip("/")
        assert path.endswith("/run") or any(plain in each.command for each in commands)
        assert not path.endswith("/run") or path.split("/")[3] in text
