"""What a process has taken of the machine."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.figure import Figure


class Usage(NamedTuple):
    """Resident memory now, and processor time since the process began.

    Processor time is that of the processes that it started, too: PostgreSQL has one for each
    connection.
    """

    memory_bytes: int
    cpu_seconds: float


def usage_of(pid: int | None) -> Usage | None:
    """Of a living process; None if there is none, or the system has no /proc."""
    folder = Path(f"/proc/{pid}")
    if pid is None or not folder.exists():
        return None
    pages = int((folder / "statm").read_text().split()[1])
    ticks = sum(_ticks_of(str(process)) for process in (pid, *_descendants(pid)))
    return Usage(pages * os.sysconf("SC_PAGE_SIZE"), ticks / os.sysconf("SC_CLK_TCK"))


def _descendants(pid: int) -> Sequence[int]:
    # A process that goes meanwhile is counted by its parent, below.
    children = [
        int(child)
        for file in Path(f"/proc/{pid}/task").glob("*/children")
        for child in file.read_text().split()
    ]
    return [found for child in children for found in (child, *_descendants(child))]


def _ticks_of(pid: str) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    # The second field is the process's name, which may hold spaces; user and system time,
    # and those of children that have ended, are fields 14 to 17, counted from 1.
    return sum(map(int, stat.rpartition(")")[2].split()[11:15]))


def memory(name: str, usage: Usage | None) -> Sequence[Figure]:
    """A row, or none where the system does not say."""
    return [Figure(name, "MiB", usage.memory_bytes / 2**20)] if usage else []


def processor_time(
    name: str, before: Usage | None, after: Usage | None, jobs: int
) -> Sequence[Figure]:
    """A row, or none where the system does not say."""
    if before is None or after is None:
        return []
    seconds = after.cpu_seconds - before.cpu_seconds
    # A tiny backlog may be gone before anyone has looked.
    return [Figure(name, "µs", seconds / jobs * 1e6 if jobs else math.nan)]
