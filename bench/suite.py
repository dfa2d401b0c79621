"""All measurements of one store, once."""

from pathlib import Path
from typing import NamedTuple

from bench import calibration
from bench.drain import enqueue_and_drain
from bench.figure import Figure
from bench.latency import latency
from bench.lateness import lateness
from bench.stage import stage_on
from bench.store import Store
from bench.usage import memory
from bench.worker import worker_on


class Size(NamedTuple):
    """How many jobs each measurement takes, and how often all of them are made."""

    backlog: int
    idle: int
    delayed: int
    runs: int


DEFAULT = Size(backlog=100_000, idle=200, delayed=200, runs=3)
QUICK = Size(backlog=10_000, idle=50, delayed=50, runs=1)


async def measure(store: Store, size: Size, *, profile: Path | None = None) -> list[Figure]:
    """One row for each measurement, in the order of the table.

    Raises:
        WorkerFailed: see `worker_on`.
    """
    return [
        calibration.python(),
        *store.calibrate(),
        *await enqueue_and_drain(store, size.backlog, profile),
        *await _at_rest(store, size),
    ]


async def _at_rest(store: Store, size: Size) -> list[Figure]:
    idle = range(size.idle)
    delayed = range(size.idle, size.idle + size.delayed)
    async with stage_on(store, jobs=delayed.stop) as stage, worker_on(stage) as worker:
        return [
            *memory("worker's memory, idle", worker.usage()),
            *await latency(stage, idle),
            *await lateness(stage, delayed),
        ]
