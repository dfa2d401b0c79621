"""A program of the web application as a process of its own, and what it says."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Self, TypeVar

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0
"""No fact takes that long; a test that waits longer has failed."""

T = TypeVar("T")


def eventually(fact: Callable[[], T | None], what: str) -> T:
    """The first true value of `fact`, asked again and again."""
    limit = time.monotonic() + PATIENCE
    while True:
        if value := fact():
            return value
        assert time.monotonic() < limit, f"{what}: not within {PATIENCE:g} s"
        time.sleep(0.02)


class Program:
    """`python -m <module>` with nothing of this process's environment but what it needs."""

    def __init__(self, module: str, variables: Mapping[str, str], folder: Path) -> None:
        self.module = module
        self.out: list[str] = []
        self.err: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=folder,
            env=environment(variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._readers = [self._read(self._process.stdout, self.out)]
        self._readers.append(self._read(self._process.stderr, self.err))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self.ended()

    def says(self, pattern: str) -> re.Match[str]:
        """Wait for a line on standard error."""
        return self._line(self.err, pattern)

    def prints(self, pattern: str) -> re.Match[str]:
        """Wait for a line on standard output."""
        return self._line(self.out, pattern)

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ended(self) -> int:
        """Wait for the end and everything that was said; the exit code."""
        code = self._process.wait(PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def _line(self, lines: list[str], pattern: str) -> re.Match[str]:
        def found() -> re.Match[str] | None:
            return next((match for line in [*lines] if (match := re.search(pattern, line))), None)

        return eventually(found, f"{self.module}: {pattern!r} in {lines}")

    def _read(self, stream: IO[str] | None, lines: list[str]) -> threading.Thread:
        assert stream

        def read() -> None:
            with stream:
                for line in stream:
                    lines.append(line.rstrip("\n"))  # noqa: PERF401 - each when it comes

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        return reader


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Variables for a process that finds the application but no settings of the machine."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TZ") if name in os.environ}
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1", **variables}
