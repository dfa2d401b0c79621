"""The systemd units, as far as they can be checked without systemd being the first process."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.files import SHARED_BY_UNITS, SYSTEMD, unit, variables_in

UNITS = sorted(path.name for path in SYSTEMD.iterdir() if path.suffix in {".service", ".target"})
SERVICES = [name for name in UNITS if name.endswith(".service")]
each_service = pytest.mark.parametrize("name", SERVICES)

MOST_EXPOSED = 20
"""Of 100, by `systemd-analyze security`, which calls up to 20 OK."""


def analyze() -> str:
    """The program; skips the test without it, or fails it where CI is set."""
    if found := shutil.which("systemd-analyze"):
        return found
    reason = "no systemd-analyze: it comes with Debian's package systemd"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as they are installed, below a folder that has the program that they start."""
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    units = tmp_path / "units"
    shutil.copytree(SYSTEMD, units)
    for path in (*units.glob("*.service"), *units.glob("*/*.conf")):
        path.write_text(path.read_text("utf-8").replace("/opt/webapp", str(tmp_path)))
    template = units / "webapp-jobqueue@.service"
    shutil.copy(template, units / "webapp-jobqueue@9401.service")
    return units


def test_systemd_understands_every_unit(installed: Path) -> None:
    names = [name.replace("@.", "@9401.") for name in UNITS]

    done = subprocess.run(
        [analyze(), "verify", "--man=no", *(f"./{name}" for name in names)],
        cwd=installed,
        capture_output=True,
        text=True,
        check=False,
    )

    # What it does not understand it says, and goes on.
    assert (done.returncode, done.stderr) == (0, "")


@each_service
def test_a_service_is_locked_in(installed: Path, name: str) -> None:
    name = name.replace("@.", "@9401.")
    command = [analyze(), "security", "--offline=true", f"--threshold={MOST_EXPOSED}", f"./{name}"]

    done = subprocess.run(command, cwd=installed, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_the_target_starts_everything_and_a_restart_of_it_restarts_everything() -> None:
    wanted = " ".join(value for key, value in unit("webapp.target") if key == "Wants").split()

    assert {re.sub(r"@\d+", "@", name) for name in wanted} == set(SERVICES)
    for name in SERVICES:
        assert ("PartOf", "webapp.target") in unit(name)


@each_service
def test_a_service_waits_for_the_migrations_and_is_started_again_for_ever(name: str) -> None:
    options = dict(unit(name))

    assert options["StartLimitIntervalSec"] == "0"
    assert options["Restart"] == ("on-failure" if "migrate" in name else "always")
    if "migrate" not in name:
        assert "webapp-migrate.service" in options["After"]
        assert "Requires" not in options


def test_each_job_server_has_the_port_that_is_its_name() -> None:
    instances = re.findall(r"@(\d+)", (SYSTEMD / "webapp.target").read_text("utf-8"))

    assert len(instances) == len(set(instances)) == 2
    assert ("Environment", "WORKER__METRICS=127.0.0.1:%i") in unit("webapp-jobqueue@.service")


def test_secrets_are_in_the_credentials_and_not_in_the_file_of_settings() -> None:
    shared = SHARED_BY_UNITS.read_text("utf-8")

    assert "LoadCredential=secrets:/etc/webapp/secrets\n" in shared
    assert not [name for name in variables_in(SYSTEMD / "webapp.env") if name.endswith("_FILE")]
    files = re.findall(r"^Environment=\w+_FILE=(.*)$", shared, flags=re.MULTILINE)
    assert all(path.startswith("%d/secrets_") for path in files)
