"""What a process has taken of the machine."""

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.figure import Figure


class Usage(NamedTuple):
    """Resident memory now, and processor time since the process began."""

    memory_bytes: int
    cpu_seconds: float


def usage_of(pid: int | None) -> Usage | None:
    """Of a living process; None if there is none, or the system has no /proc."""
    folder = Path(f"/proc/{pid}")
    if pid is None or not folder.exists():
        return None
    # The second field is the process's name, which may hold spaces; user and system time
    # are fields 14 and 15, counted from 1.
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    pages = int((folder / "statm").read_text().split()[1])
    return Usage(pages * os.sysconf("SC_PAGE_SIZE"), ticks / os.sysconf("SC_CLK_TCK"))


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
