"""What a worker tells the world about itself, every few seconds."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Running(NamedTuple):
    """One job that a worker is running right now."""

    job_id: str
    task: str
    queue: str
    payload: bytes
    started_at: float
    deadline: float


class Presence(NamedTuple):
    """A living worker. Entries vanish by themselves when they are not renewed."""

    worker: str
    """The worker's id, unique in the world: `host:pid:random`."""
    host: str
    pid: int
    concurrency: int
    queues: Mapping[str, int]
    strict: bool
    status: str
    """`active`, or `stopped` once it claims nothing more."""
    started_at: float
    running: Sequence[Running] = ()
    running_count: int = 0

    @property
    def server_id(self) -> str:
        """The random part of the worker's id."""
        return self.worker.rpartition(":")[2]
