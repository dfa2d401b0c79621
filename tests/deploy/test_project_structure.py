"""The pages about the project's structure name what is there, and nothing else."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.deploy.files import ROOT

LANGUAGES = ["en", "ja"]
in_every_language = pytest.mark.parametrize("language", LANGUAGES)

WHOLE_TREES = [Path("src/atode"), Path("webapp")]
"""Every folder of Python below these has a section of its own."""

LEFT_OVER = {"__pycache__", "__init__", "__main__", "data", "redis", "build", "dist", "secrets"}
"""What runs leave behind, and what is the same in every package."""


def page(language: str) -> str:
    return (ROOT / "docs" / language / "Project-Structure.md").read_text("utf-8")


@cache
def sections(language: str) -> Mapping[Path, frozenset[str]]:
    """By folder, the names in the first column of its table."""
    found: dict[Path, frozenset[str]] = {}
    for part in re.split(r"^## ", page(language), flags=re.MULTILINE)[1:]:
        title, _, text = part.partition("\n")
        if title.startswith("`"):
            cells = re.findall(r"^\| (`.*?) \|", text, flags=re.MULTILINE)
            found[Path(title.strip("`"))] = frozenset(re.findall("`([^`]+)`", " ".join(cells)))
    return found


def folders() -> Iterator[Path]:
    """Folders that need a section: those with public modules."""
    for tree in WHOLE_TREES:
        for path in (ROOT / tree, *(ROOT / tree).rglob("*")):
            if path.is_dir() and any(is_listed(each) for each in path.glob("*.py")):
                yield path.relative_to(ROOT)


def is_listed(path: Path) -> bool:
    return not (path.stem in LEFT_OVER or path.name.startswith(("_", ".")))


def modules_and_folders(folder: Path) -> set[str]:
    """What a section must name."""
    listed = [path for path in (ROOT / folder).iterdir() if is_listed(path)]
    inside = {f"{path.name}/" for path in listed if path.is_dir()}
    return inside | {path.stem for path in listed if path.suffix == ".py"}


def is_there(folder: Path, name: str) -> bool:
    path = ROOT / folder / name
    return path.is_dir() if name.endswith("/") else path.is_file() or Path(f"{path}.py").is_file()


@in_every_language
def test_every_folder_of_modules_has_a_section(language: str) -> None:
    # Alembic's migrations are named by its rules.
    needed = {folder for folder in folders() if "migrations" not in folder.parts}

    assert not needed - sections(language).keys()


@in_every_language
def test_a_section_names_every_module_and_folder(language: str) -> None:
    for folder, named in sections(language).items():
        assert not modules_and_folders(folder) - named, folder


@in_every_language
def test_a_section_names_nothing_that_is_not_there(language: str) -> None:
    for folder, named in sections(language).items():
        assert not [name for name in sorted(named) if not is_there(folder, name)], folder


@in_every_language
def test_the_steps_for_a_new_job_name_files_that_are_there(language: str) -> None:
    steps = re.findall(r"^\d\. .*\n(?:   .*\n)*", page(language), flags=re.MULTILINE)
    paths = re.findall(r"`((?:webapp|tests|config)/[^`]*)`", "".join(steps))

    assert len(steps) == 8
    assert len(paths) >= 9
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_both_languages_name_the_same() -> None:
    english, japanese = (sections(language) for language in LANGUAGES)

    assert english == japanese
