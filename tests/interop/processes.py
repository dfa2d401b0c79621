"""A Python worker and a Go server, each as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.journal import eventually
from tests.interop.journal import Journal
from tests.interop.peer import Peer

ROOT = Path(__file__).parents[2]


class Process:
    """Ended by id when the test is over, however it ends."""

    READY = ""

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], given: str = ""
    ) -> None:
        self._process = subprocess.Popen(
            command,
            env=os.environ | environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin
        self._process.stdin.write(given)
        self._process.stdin.close()
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def started(self) -> Self:
        await self.says(self.READY)
        return self

    async def says(self, text: str) -> None:
        await eventually(
            lambda: any(text in line for line in self.log), evidence=lambda: "".join(self.log)
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        """Tell it to end, and wait until it has."""
        self._process.send_signal(signal.SIGTERM)
        await eventually(
            lambda: self._process.poll() is not None, evidence=lambda: "".join(self.log)
        )
        assert self._process.returncode == 0, "".join(self.log)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self.kill()
        self._reader.join()
        assert self._process.stderr
        self._process.stderr.close()

    def _read(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self.log.append(line)


class PythonWorker(Process):
    READY = " serves "

    def __init__(self, url: str, journal: Journal, *options: str) -> None:
        super().__init__(
            [sys.executable, "-m", "atode", "worker", "tests.interop.jobs:jobs", *options],
            journal.path.parent,
            {
                "ATODE_URL": url,
                "ATODE_TEST_JOURNAL": str(journal.path),
                "PYTHONPATH": str(ROOT),
                "PYTHONUNBUFFERED": "1",
            },
        )


class GoServer(Process):
    READY = "ready"

    def __init__(self, go: Peer, journal: Journal, **settings: object) -> None:
        """Settings are those of go/serve.go, in seconds; the pauses are short unless given."""
        usual = {"concurrency": 10, "check": 0.05, "delayed_check": 0.1, "retry_delay": 3600}
        super().__init__(
            [str(go.binary), "serve", go.address, str(journal.path)],
            journal.path.parent,
            {},
            json.dumps(usual | settings),
        )
