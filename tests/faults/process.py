"""A program that a test starts, and ends by id."""

import asyncio
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.journal import eventually


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

    async def says(self, text: str, within: float = 60.0) -> None:
        await eventually(
            lambda: any(text in line for line in self.log), within, lambda: "".join(self.log)
        )

    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    async def insist(self, number: signal.Signals) -> None:
        """Send it as often as it takes: signals in quick succession count as one."""
        while self.is_running():
            self._process.send_signal(number)
            await asyncio.sleep(0.1)

    async def exit_code(self, within: float = 60.0) -> int:
        await eventually(lambda: not self.is_running(), within, lambda: "".join(self.log))
        return self._process.wait()

    async def stop(self) -> None:
        """Tell it to end, and wait until it has."""
        self.terminate()
        assert await self.exit_code() == 0, "".join(self.log)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.is_running():
            self.kill()
        self._reader.join()
        assert self._process.stderr
        self._process.stderr.close()

    def _read(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self.log.append(line)
