"""How much each measurement takes."""

from typing import NamedTuple


class Size(NamedTuple):
    """Numbers of jobs, and how often those measurements are made that vary much."""

    drain: int
    their_drain: int
    callers: int
    bulk: int
    idle: int
    delayed: int
    naps: int
    waiting: int
    """In the longer of two queues."""
    lease: float
    """Seconds, of the worker that is killed."""
    rounds: int


DEFAULT = Size(
    drain=100_000,
    their_drain=30_000,
    callers=40_000,
    bulk=100_000,
    idle=150,
    delayed=150,
    naps=30_000,
    waiting=1_000_000,
    lease=15,
    rounds=3,
)
QUICK = Size(
    drain=4_000,
    their_drain=2_000,
    callers=2_000,
    bulk=5_000,
    idle=20,
    delayed=20,
    naps=1_000,
    waiting=20_000,
    lease=2,
    rounds=1,
)
