"""A Redis server of our own, on a free port of this machine, in a folder that goes away."""

import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_LONGEST_START = 10.0
_BINARIES = ("redis-server", "valkey-server")


class NoServer(Exception):
    """There is no server program on this machine, or it did not start."""


class RedisServer(NamedTuple):
    """A running server."""

    port: int
    pid: int
    version: str

    def ask(self, *words: str) -> bytes:
        """Send one command; the first bytes of the answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(" ".join(words).encode() + b"\r\n")
            return connection.recv(65536)


@contextmanager
def running_redis(folder: Path) -> Generator[RedisServer]:
    """A server with its append-only file on, synced every second; ended afterwards.

    Raises:
        NoServer: see there.
    """
    binary = next(filter(None, map(shutil.which, _BINARIES)), None)
    if binary is None:
        raise NoServer(f"no {' or '.join(_BINARIES)} on the PATH")
    port = _free_port()
    process = subprocess.Popen(_command(binary, port, folder), stdout=subprocess.DEVNULL)
    try:
        server = RedisServer(port, process.pid, _version(binary))
        _await_answer(server)
        yield server
    finally:
        process.terminate()
        process.wait()


def _command(binary: str, port: int, folder: Path) -> list[str]:
    network = ["--bind", "127.0.0.1", "--port", str(port)]
    durability = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
    return [binary, *network, *durability, "--dir", str(folder)]


def _version(binary: str) -> str:
    words = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    return next((word[2:] for word in words.split() if word.startswith("v=")), "of unknown version")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_answer(server: RedisServer) -> None:
    give_up = time.monotonic() + _LONGEST_START
    while time.monotonic() < give_up:
        try:
            if server.ask("PING").startswith(b"+PONG"):
                return
        except OSError:
            pass
        time.sleep(0.02)
    raise NoServer(f"the server at port {server.port} did not answer")
