"""Figures about queues, as operators read them."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from atode.job import State


class QueueStats(NamedTuple):
    """How a queue stands."""

    queue: str
    counts: Mapping[State, int]
    """Jobs in each state; every state is present."""
    paused: bool
    waiting_since: float
    """Since when the job that is next in line has waited, in Unix seconds; 0 if none waits or
    nobody knows."""
    processed: int
    """Attempts that were settled as success or failure since the queue exists."""
    failed: int
    memory: int = 0
    """Bytes that the queue's jobs take in the store, roughly; 0 where that is not known."""

    @property
    def size(self) -> int:
        """Jobs in all states."""
        return sum(self.counts.values())


class Day(NamedTuple):
    """What a queue did on one day (UTC)."""

    date: date
    processed: int
    failed: int
