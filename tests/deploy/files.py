"""What the files of deployment say: which programs run, with which environment, for how long."""

import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
KUBERNETES = ROOT / "deploy" / "kubernetes"
SYSTEMD = ROOT / "deploy" / "systemd"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
VERSION = PROJECT["project"]["version"]
SHARED_BY_UNITS = SYSTEMD / "webapp-.service.d" / "webapp.conf"

Document = Mapping[str, Any]


class Started(NamedTuple):
    """A program of the application as one of the files starts it."""

    place: str
    module: str
    variables: Mapping[str, str]
    stop_seconds: float | None
    """How long it may take to stop; nothing where it ends by itself."""


def started() -> Iterator[Started]:
    """All of them."""
    yield from _in_compose()
    yield from _in_kubernetes()
    yield from _in_systemd()


@cache
def compose() -> Document:
    document: Document = yaml.safe_load(COMPOSE.read_text("utf-8"))
    return document


def services() -> Mapping[str, Document]:
    found: Mapping[str, Document] = compose()["services"]
    return found


def is_ours(description: Document) -> bool:
    """Whether a service runs a program of the application."""
    return str(description["image"]).startswith("atode-webapp:")


def service(name: str) -> Started:
    """One of the application's own services of the compose file."""
    [found] = [each for each in _in_compose() if each.place == f"compose {name}"]
    return found


@cache
def manifests() -> Sequence[Document]:
    """Everything that Kubernetes is to have, without kustomizations."""
    paths = [p for p in sorted(KUBERNETES.rglob("*.yaml")) if p.name != "kustomization.yaml"]
    return [each for path in paths for each in yaml.safe_load_all(path.read_text("utf-8"))]


def manifest(kind: str, name: str) -> Document:
    [found] = [
        each for each in manifests() if (each["kind"], each["metadata"]["name"]) == (kind, name)
    ]
    return found


def pods() -> Iterator[tuple[str, Document]]:
    """Each pod's description, with the name of what makes it."""
    for each in manifests():
        if "template" in each["spec"]:
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]


def unit(name: str) -> Sequence[tuple[str, str]]:
    """The settings of a systemd unit in their order, those that all units share included."""
    shared = SHARED_BY_UNITS if name.endswith(".service") else None
    texts = [path.read_text("utf-8") for path in (SYSTEMD / name, shared) if path]
    return re.findall(r"^(\w+)=(.*)$", "\n".join(texts), flags=re.MULTILINE)


def variables_in(path: Path) -> dict[str, str]:
    """The lines `NAME=value` of a file."""
    return dict(re.findall(r"^(\w+)=(.*)$", path.read_text("utf-8"), flags=re.MULTILINE))


def secret_name(path: str) -> str:
    """The name of a secret's file, wherever it is mounted."""
    # systemd gives a credential the name of its folder as well.
    return PurePath(path).name.removeprefix("secrets_")


def with_secrets(variables: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Variables that name files, so that they name those in `folder`."""
    return {
        name: str(folder / secret_name(value)) if name.endswith("_FILE") else value
        for name, value in variables.items()
    }


def make_secrets(folder: Path) -> Path:
    """What the script makes, and what a mail provider gives."""
    subprocess.run([ROOT / "scripts" / "make-secrets.sh", folder], check=True, capture_output=True)
    (folder / "mail_password").write_text("given by the provider")
    return folder


def seconds(duration: str) -> float:
    match = re.fullmatch(r"(\d+)(s|min)?", duration)
    assert match, duration
    return int(match[1]) * (60 if match[2] == "min" else 1)


def module_of(command: Sequence[str]) -> str:
    """The module that `python -m module` runs."""
    program, option, module = command
    assert (PurePath(program).name, option) == ("python", "-m")
    return module


def _in_compose() -> Iterator[Started]:
    for name, description in services().items():
        if is_ours(description):
            grace = description.get("stop_grace_period")
            yield Started(
                f"compose {name}",
                module_of(description["command"]),
                description["environment"],
                seconds(grace) if grace else None,
            )


def _in_kubernetes() -> Iterator[Started]:
    settings = variables_in(KUBERNETES / "release" / "settings.env")
    for name, pod in pods():
        [container] = pod["containers"]
        own = {each["name"]: each["value"] for each in container.get("env", ())}
        yield Started(
            f"kubernetes {name}",
            module_of(container["command"]),
            {**settings, **own},
            pod.get("terminationGracePeriodSeconds"),
        )


def _in_systemd() -> Iterator[Started]:
    settings = variables_in(SYSTEMD / "webapp.env")
    for path in sorted(SYSTEMD.glob("*.service")):
        given = unit(path.name)
        own = dict(
            pair.replace("%i", "9401").split("=", 1)
            for key, value in given
            if key == "Environment"
            for pair in value.split()
        )
        options = dict(given)
        stop = options.get("TimeoutStopSec")
        yield Started(
            f"systemd {path.name}",
            module_of(options["ExecStart"].split()),
            {**settings, **own},
            seconds(stop) if stop else None,
        )
