"""What the handlers of tests/faults/jobs.py wrote down."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    word: str
    number: int
    pid: int
    at: float


class Journal:
    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def entries(self, word: str | None = None) -> list[Entry]:
        found: list[Entry] = []
        # What stands after the last line break is still being written.
        whole, _, _ = self.path.read_text().rpartition("\n")
        for line in whole.splitlines():
            what, number, pid, at = line.split()
            if word in (None, what):
                found.append(Entry(what, int(number), int(pid), float(at)))
        return found

    def count(self, word: str) -> Counter[int]:
        return Counter(entry.number for entry in self.entries(word))

    async def until(self, fact: Callable[["Journal"], bool], within: float = 60.0) -> None:
        await eventually(lambda: fact(self), within, lambda: self.path.read_text()[-2000:])


async def eventually(
    fact: Callable[[], object], within: float = 60.0, evidence: Callable[[], str] = lambda: ""
) -> None:
    """Wait for a fact; the time limit only ends a test that has failed."""
    limit = time.monotonic() + within
    while not fact():
        assert time.monotonic() < limit, f"not so within {within} s. {evidence()}"
        await asyncio.sleep(0.02)
