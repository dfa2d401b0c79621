"""The Dockerfile, as far as it can be checked without a container engine."""

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.deploy.files import PROJECT, ROOT, module_of, service

DOCKERFILE = ROOT / "Dockerfile"


def instructions(word: str) -> Sequence[str]:
    """What follows this word, a line each."""
    text = re.sub(r"\s*\\\n\s*", " ", DOCKERFILE.read_text("utf-8"))
    return re.findall(rf"^\s*{word} (.*)$", text, flags=re.MULTILINE)


def commands() -> Sequence[str]:
    """Of the health check, and of the image."""
    return re.findall(r"\bCMD (.*)$", DOCKERFILE.read_text("utf-8"), flags=re.MULTILINE)


def copied() -> set[str]:
    """What comes from the project."""
    sources = [line.split()[:-1] for line in instructions("COPY") if "--from" not in line]
    return {source for line in sources for source in line}


def test_the_linter_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if not hadolint:
        pytest.skip("there is no hadolint for this system")

    done = subprocess.run([hadolint, DOCKERFILE], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_both_stages_are_the_same_pinned_python() -> None:
    images = {line.split()[0] for line in instructions("FROM")}

    [image] = images
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", image)


def test_it_does_not_run_as_root_and_gets_the_signal_that_it_stops_at() -> None:
    assert instructions("USER") == ["10001:10001"]
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    # In exec form: a shell in between would keep the signal to itself.
    assert all(line.startswith('["python", "-m", ') for line in commands())
    assert not instructions("ENTRYPOINT")


def test_it_starts_the_api_server_and_asks_it_whether_it_lives() -> None:
    check, command = (re.findall(r'"([^"]+)"', line) for line in commands())

    assert module_of(command) == service("api").module
    assert check[:3] == ["python", "-m", "webapp.probe"]


def test_it_copies_what_is_there_and_nothing_else_gets_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()

    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == copied()
    assert all((ROOT / source).exists() for source in copied())


def test_it_installs_extras_and_groups_that_exist() -> None:
    [extras] = re.findall(r"\.whl\)\[([a-z,]+)\]", DOCKERFILE.read_text("utf-8"))
    [group] = re.findall(r"--group (\w+)", DOCKERFILE.read_text("utf-8"))

    assert set(extras.split(",")) <= PROJECT["project"]["optional-dependencies"].keys()
    assert group in PROJECT["dependency-groups"]


def test_the_wheel_has_every_file_of_the_library(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    source = ROOT / "src"
    ours = {
        path.relative_to(source).as_posix()
        for path in (source / "atode").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert packed == ours
    assert {Path(name).suffix for name in packed} >= {".py", ".sql", ".lua", ".typed"}
