"""A real redis-server for tests: own folder, own port, killed at the end."""

import os
import platform
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pytest

_FETCHED = Path(__file__).resolve().parents[2] / ".venv"


def find_redis_server() -> str:
    """The binary to use; skips the test without one, or fails it where CI is set."""
    return _found("redis", must_be_there=True)


def find_valkey_server() -> str:
    """A Valkey for tests that run on both; skips the test without one.

    Where CI is set, on a machine for which there is a wheel, it fails the test instead.
    """
    machine = (platform.system(), platform.machine())
    return _found("valkey", must_be_there=machine == ("Linux", "x86_64"))


def _found(kind: str, *, must_be_there: bool) -> str:
    name = f"{kind}-server"
    for found in (os.environ.get(f"ATODE_TEST_{kind.upper()}_SERVER"), shutil.which(name)):
        if found:
            return found
    fetched = _FETCHED / kind / name
    if fetched.exists():
        return str(fetched)
    reason = f"no {name}: install one, or run `python scripts/fetch_redis_server.py`"
    if os.environ.get("CI") and must_be_there:
        pytest.fail(reason)
    pytest.skip(reason)


def needs_tls() -> None:
    """Skips the test if the binary was built without TLS."""
    # Without certificates it ends at once, and says why.
    command = [find_redis_server(), "--port", "0", "--tls-port", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    said = done.stdout + done.stderr
    if "Bad directive" in said or "finding TLS support" in said:
        pytest.skip("this redis-server was built without TLS")


def free_port() -> int:
    """A port of the loopback that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class RedisServer:
    """One server on a free port of the loopback; the data survives a restart."""

    def __init__(
        self,
        *options: str,
        binary: str | None = None,
        ports: Callable[[], int] = free_port,
        tls: bool = False,
    ) -> None:
        """`options` go to redis-server: `--appendonly yes`, `--requirepass …`."""
        self.tls_port = ports() if tls else 0
        if tls:
            options += ("--tls-port", str(self.tls_port))
        self._binary = binary or find_redis_server()
        self._options = options
        self._folder = tempfile.mkdtemp(prefix="atode-redis-")
        self._process: subprocess.Popen[bytes] | None = None
        self._ports = ports
        self.port = ports()

    @property
    def url(self) -> str:
        """Database 0 of the server."""
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        # Another process may have taken the free port before the server did.
        for _ in range(5):
            if self._started():
                return self
            self.port = self._ports()
        raise RuntimeError(f"redis-server did not start:\n{self._log()}")

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def restart(self) -> None:
        """Start again after `kill` or `stop`, on the same port with the same data."""
        for _ in range(5):
            if self._started():
                return
        raise RuntimeError(f"redis-server did not start again:\n{self._log()}")

    def stop(self) -> None:
        """End it in an orderly way."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash does."""
        self._end(signal.SIGKILL)

    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def freeze(self) -> None:
        """Stop it from answering; connections stay open."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def _started(self) -> bool:
        # Command-line options beat nothing here: no configuration file is read.
        settings = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": self._folder,
            "save": "",
            "logfile": "redis.log",
            "daemonize": "no",
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen([self._binary, *options, *self._options])
        deadline = time.monotonic() + 20
        while self._process.poll() is None and time.monotonic() < deadline:
            if _answers(self.port):
                return True
            time.sleep(0.01)
        self.kill()
        return False

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process and process.poll() is None:
            process.send_signal(how)
            process.wait(20)

    def _log(self) -> str:
        log = Path(self._folder) / "redis.log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else "(no log)"


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(1)
            connection.sendall(b"PING\r\n")
            # With a password it says NOAUTH, which is an answer; LOADING is not one yet.
            return connection.recv(64).startswith((b"+PONG", b"-NOAUTH"))
    except OSError:
        return False
