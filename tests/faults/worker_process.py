"""`atode worker` as a process of its own."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

from tests.faults.journal import Journal, eventually

ROOT = Path(__file__).parents[2]


class WorkerProcess:
    """Ended by id when the test is over, however it ends."""

    def __init__(self, url: str, journal: Journal, *options: str) -> None:
        environment = os.environ | {
            "ATODE_URL": url,
            "ATODE_TEST_JOURNAL": str(journal.path),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "atode", "worker", "tests.faults.jobs:jobs", *options],
            env=environment,
            cwd=journal.path.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def started(self) -> "WorkerProcess":
        await self.says(" serves ")
        return self

    async def says(self, text: str, within: float = 60.0) -> None:
        await eventually(
            lambda: any(text in line for line in self.log), within, lambda: "".join(self.log)
        )

    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    async def exit_code(self, within: float = 60.0) -> int:
        await eventually(
            lambda: self._process.poll() is not None, within, lambda: "".join(self.log)
        )
        return self._process.wait()

    def __enter__(self) -> "WorkerProcess":
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
        assert self._process.stderr is not None
        self._process.stderr.close()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.log.append(line)
