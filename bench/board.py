"""What handlers leave behind, in memory that the benchmark's processes share."""

import mmap
import time
from pathlib import Path
from types import TracebackType
from typing import Self

VARIABLE = "BENCH_BOARD"
"""The environment variable that tells a worker process where its board is."""

_HEADER_BYTES = 8
_BYTES_PER_JOB = 9


class Board:
    """For each job, by number, how often it started and when it last did.

    A mapped file, so that a handler marks its start without a system call, and the
    benchmark counts starts without asking the library that it measures.
    """

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self.jobs = (len(self._map) - _HEADER_BYTES) // _BYTES_PER_JOB
        view = memoryview(self._map)
        starts_end = _HEADER_BYTES + 8 * self.jobs
        self._first = view[:_HEADER_BYTES].cast("d")
        self._starts = view[_HEADER_BYTES:starts_end].cast("d")
        self._counts = view[starts_end:]
        self._view = view

    @classmethod
    def create(cls, path: Path, *, jobs: int) -> Self:
        """A new board for jobs numbered from 0, none of them started."""
        path.write_bytes(bytes(_HEADER_BYTES + _BYTES_PER_JOB * jobs))
        return cls(path)

    def count(self, number: int) -> None:
        """This job starts now."""
        counts = self._counts
        if not self._first[0]:
            self._first[0] = time.time()
        # More than 255 would not fit, and one too many is as bad as two hundred.
        counts[number] = min(counts[number] + 1, 255)

    def stamp(self, number: int) -> None:
        """This job starts now, and the instant matters."""
        self._starts[number] = time.time()
        self.count(number)

    @property
    def first_start(self) -> float:
        """When the first job of all started, in Unix seconds; 0 before that."""
        return self._first[0]

    def start(self, number: int) -> float:
        """When this job started, in Unix seconds; 0 if it has not."""
        return self._starts[number]

    def started(self, numbers: range) -> int:
        """How many of these consecutive jobs have started at least once."""
        return len(numbers) - self._counts_of(numbers).count(0)

    def complaint(self, numbers: range) -> str:
        """What is wrong with the delivery; empty if each of these jobs started exactly once."""
        counts = self._counts_of(numbers)
        never, once = counts.count(0), counts.count(1)
        more = len(counts) - never - once
        return f"{never:,} jobs never ran, {more:,} more than once" if never or more else ""

    def _counts_of(self, numbers: range) -> bytes:
        return bytes(self._counts[numbers.start : numbers.stop])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for view in (self._first, self._starts, self._counts, self._view):
            view.release()
        self._map.close()
