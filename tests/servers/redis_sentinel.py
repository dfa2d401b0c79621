"""A real master with two replicas, watched by three sentinels."""

import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from redis import exceptions

from tests.servers.redis import RedisServer, find_redis_server, free_port
from tests.servers.redis_store import RedisStore
from tests.servers.waiting import until

SERVICE = "jobs"


class WatchedRedis:
    """All of it on free ports of the loopback, ready when it is entered."""

    def __init__(
        self,
        *options: str,
        settings: str = "",
        password: str = "",
        guard: str = "",
        binary: str | None = None,
    ) -> None:
        """`options` go to the servers that have data, `settings` to the sentinels.

        The passwords are those that these set: of the servers, and of the sentinels.
        """
        self._password, self._guard = password, guard
        self._binary = binary or find_redis_server()
        self._options = ("--repl-diskless-sync-delay", "0", *options)
        self._settings = settings
        self._open = ExitStack()
        self.servers: list[RedisServer] = []
        self.sentinels: list[Sentinel] = []

    @property
    def hosts(self) -> str:
        """The sentinels."""
        return ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)

    @property
    def url(self) -> str:
        """All sentinels and the service."""
        return f"redis+sentinel://{self.hosts}/{SERVICE}"

    @property
    def master(self) -> RedisServer:
        """The server that the sentinels think is the master, as soon as they agree."""
        told: set[int] = set()
        while len(told) != 1:
            time.sleep(0.02)
            told = self._told()
        return next(server for server in self.servers if server.port in told)

    @property
    def story(self) -> str:
        """Who was found dead, and who became master, as the sentinels saw it."""
        logs = "".join(sentinel.log for sentinel in self.sentinels)
        return "\n".join(
            line for line in logs.splitlines() if "down " in line or "-master " in line
        )

    def __enter__(self) -> Self:
        try:
            master = self._open.enter_context(RedisServer(*self._options, binary=self._binary))
            self.servers.append(master)
            follow = ("--replicaof", "127.0.0.1", str(master.port))
            for _ in range(2):
                replica = self._open.enter_context(
                    RedisServer(*self._options, *follow, binary=self._binary)
                )
                self.servers.append(replica)
            for _ in range(3):
                sentinel = self._open.enter_context(
                    Sentinel(master.port, self._settings, self._guard, self._binary)
                )
                self.sentinels.append(sentinel)
            until(lambda: self._is_ready(master))
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _is_ready(self, master: RedisServer) -> bool:
        with RedisStore(f"redis://:{self._password}@127.0.0.1:{master.port}") as store:
            replicas = [store.do("INFO", "replication").get(f"slave{n}") for n in range(2)]
        return all(replica and replica["state"] == "online" for replica in replicas) and all(
            sentinel.knows(replicas=2, sentinels=3) for sentinel in self.sentinels
        )

    def _told(self) -> set[int]:
        living = [sentinel for sentinel in self.sentinels if sentinel.is_running()]
        return {sentinel.master_port() for sentinel in living}


class Sentinel:
    """One sentinel; fast to give up a master, since tests wait for it."""

    def __init__(self, master: int, settings: str, password: str, binary: str) -> None:
        self._password, self._binary = password, binary
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="atode-sentinel-"))
        self._process: subprocess.Popen[bytes] | None = None
        (self._folder / "sentinel.conf").write_text(
            f"port {self.port}\nbind 127.0.0.1\n"
            f"logfile {self._folder}/sentinel.log\ndir {self._folder}\n"
            f"sentinel monitor {SERVICE} 127.0.0.1 {master} 2\n"
            f"sentinel down-after-milliseconds {SERVICE} 1000\n"
            f"sentinel failover-timeout {SERVICE} 5000\n{settings}\n"
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, also again."""
        command = [self._binary, str(self._folder / "sentinel.conf"), "--sentinel"]
        self._process = subprocess.Popen(command)
        until(self._answers)

    def kill(self) -> None:
        """End it as a crash does."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait(20)

    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def knows(self, *, replicas: int, sentinels: int) -> bool:
        """Whether it sees them all, itself too, so that it can agree on a failover."""
        seen = self._do("INFO", "sentinel")["master0"]
        return (seen["slaves"], seen["sentinels"]) == (replicas, sentinels)

    @property
    def log(self) -> str:
        """What it wrote down."""
        return (self._folder / "sentinel.log").read_text(errors="replace")

    def master_port(self) -> int:
        """Where it says the master is."""
        _, port = self._do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        return int(port)

    def _answers(self) -> bool:
        try:
            return bool(self._do("PING"))
        except exceptions.ConnectionError:
            return False

    def _do(self, *command: str) -> Any:
        with RedisStore(f"redis://:{self._password}@127.0.0.1:{self.port}") as store:
            return store.do(*command)
