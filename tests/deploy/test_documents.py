"""The pages about deployment: their commands run, their links lead somewhere, both languages agree.

A block of commands (```sh) is run against the application as the compose file starts it, unless one
of its lines needs what is not here: root (`sudo`) or a cluster (`kubectl`). `docker compose exec`
runs its command in the service's own environment; of `docker`'s other subcommands, only names are
checked.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.application import Application
from tests.acceptance.program import environment
from tests.deploy.files import KUBERNETES, ROOT, services
from tests.deploy.stack import Stack

LANGUAGES = ["en", "ja"]
BLOCK = re.compile(r"^```sh\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
NEW = ["Architecture", "Deployment", "Project-Structure"]
PAGES = [ROOT / "README.md", ROOT / "README.ja.md", *sorted(ROOT.glob("docs/*/*.md"))]
each_page = pytest.mark.parametrize(
    "path", PAGES, ids=lambda path: f"{path.parent.name}/{path.name}"
)

# Stands in for docker. What `exec` runs is real; the rest would need a daemon.
DOCKER = """#!/bin/sh -e
case "$1 $2" in
    "build -t" | "compose up" | "compose build" | "compose run" | "compose logs") exit 0 ;;
    "compose exec") ;;
    *) echo "no such call in the documents: docker $*" >&2; exit 1 ;;
esac
[ "$3" = -T ] || { echo "exec without -T wants a terminal" >&2; exit 1; }
. "$(dirname "$0")/$4.env"
shift 4
exec "$@"
"""


def page(language: str, name: str) -> str:
    return (ROOT / "docs" / language / f"{name}.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The blocks of commands of the new pages."""
    return [block for name in NEW for block in BLOCK.findall(page(language, name))]


def can_run(block: str) -> bool:
    return not re.search(r"^(sudo|kubectl) ", block, flags=re.MULTILINE)


RUN_HERE = [block for block in blocks("en") if can_run(block)]


@pytest.fixture
def terminal(neighbours: Stack, composed: Application, tmp_path: Path) -> Path:
    """A folder with what the commands need: the scripts, and a docker."""
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    docker = tmp_path / "docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    for name in ("api", "jobqueue"):
        lines = [f"export {key}='{value}'" for key, value in neighbours.variables(name).items()]
        (tmp_path / f"{name}.env").write_text("\n".join(lines))
    return tmp_path


@pytest.mark.parametrize("block", RUN_HERE, ids=lambda block: block.splitlines()[0][:60])
def test_commands_run(block: str, terminal: Path, neighbours: Stack, composed: Application) -> None:
    here = block.replace("http://localhost:8080", composed.url)
    here = here.replace("/run/secrets", str(neighbours.secrets))
    for address, ours in neighbours.hosts.items():
        here = here.replace(address, ours)
    path = os.pathsep.join([str(terminal), str(Path(sys.executable).parent), os.environ["PATH"]])

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", here],
        cwd=terminal,
        env={**environment({}), "PATH": path, "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    if "/register" in here:
        assert '"status":"registered"' in done.stdout


def test_some_commands_are_run() -> None:
    assert len(RUN_HERE) >= 6


def test_commands_for_elsewhere_name_files_that_are_there() -> None:
    elsewhere = "".join(block for block in blocks("en") if not can_run(block))
    folders = re.findall(r"apply -k (\S+)", elsewhere)
    copied = re.findall(r"(?<=\s)(?:deploy|scripts)/\S+", elsewhere)

    assert {ROOT / folder for folder in folders} == {
        path.parent for path in KUBERNETES.rglob("kustomization.yaml")
    } - {KUBERNETES / "release"}
    assert len(copied) > 5
    assert not [pattern for pattern in copied if not list(ROOT.glob(pattern))]


def test_named_services_and_compose_commands_exist() -> None:
    text = "".join(blocks("en"))

    named = set(re.findall(r"docker compose (?:exec -T|logs|run --rm) (\w+)", text))
    named |= set(re.findall(r"--scale (\w+)=", text))

    assert named
    assert named <= services().keys()


@pytest.mark.parametrize("name", NEW)
def test_both_languages_show_the_same_commands_and_addresses(name: str) -> None:
    def facts(language: str) -> list[list[str]]:
        text = page(language, name)
        titles, rows = (re.findall(start, text, flags=re.MULTILINE) for start in (r"^#+ ", r"^\|"))
        return [BLOCK.findall(text), sorted(set(re.findall(r"<(http[^>]+)>", text))), titles, rows]

    assert facts("en") == facts("ja")


def anchors(path: Path) -> set[str]:
    """What can follow `#` in a link to this page, by GitHub's rule."""
    titles = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def links(path: Path) -> Iterator[tuple[Path, str]]:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target:
            file, _, anchor = target.partition("#")
            yield ((path.parent / file).resolve() if file else path), anchor


@each_page
def test_links_lead_somewhere(path: Path) -> None:
    for target, anchor in links(path):
        assert target.exists(), target
        assert not anchor or anchor in anchors(target), f"{target.name}#{anchor}"


@pytest.mark.parametrize(("readme", "language"), [("README.md", "en"), ("README.ja.md", "ja")])
def test_the_readme_leads_to_every_document_in_its_language(readme: str, language: str) -> None:
    found = {target for target, _ in links(ROOT / readme)}

    assert set((ROOT / "docs" / language).glob("*.md")) <= found
