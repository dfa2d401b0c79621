"""A real PgBouncer in transaction mode before a server for tests, killed at the end."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import pytest

from tests.servers.postgres import PostgresServer
from tests.servers.redis import free_port


def find_pgbouncer() -> str:
    """The program; skips the test without it, or fails it where CI is set."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if found:
        return found
    reason = "no pgbouncer: install Debian's package of that name"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class PgBouncer:
    """Gives each transaction one of two connections to the server."""

    def __init__(self, server: PostgresServer) -> None:
        self._program = find_pgbouncer()
        self._server = server
        self._folder = Path(tempfile.mkdtemp(prefix="atode-pgbouncer-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    def url(self, database: str) -> str:
        """A database of the server, by way of the pooler."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def __enter__(self) -> Self:
        users = self._folder / "users"
        users.write_text('"postgres" ""\n')
        settings = self._folder / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={self._server.port} user=postgres\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\n"
            f"unix_socket_dir =\nauth_type = trust\nauth_file = {users}\n"
            "pool_mode = transaction\ndefault_pool_size = 2\n"
        )
        # It refuses to be run by root.
        user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
        for path in (self._folder, users, settings):
            path.chmod(0o755)
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [self._program, str(settings)], stdout=log, stderr=log, user=user, cwd="/"
            )
        limit = time.monotonic() + 20
        while not self._answers():
            if time.monotonic() > limit or self._process.poll() is not None:
                raise RuntimeError((self._folder / "log").read_text(errors="replace"))
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True
