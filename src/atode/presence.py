"""What a worker tells the world about itself, every few seconds."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from atode.size import Wish


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


class Presences(Protocol):
    """What showing that a worker lives needs, and making it larger or smaller from elsewhere."""

    async def beat(self, presence: Presence, *, lifetime: float) -> Wish | None:
        """Show this worker as living for `lifetime` seconds.

        Returns the last wish for another size of it, again and again until it leaves, so that a
        lost answer does no harm; None if there was none.
        """
        ...

    async def leave(self, presence: Presence) -> None:
        """Remove this worker's presence, and what was wished of it."""
        ...

    async def resize(self, worker: str, wish: Wish) -> bool:
        """Wish that a worker be of another size, in place of what was wished of it before; its
        next `beat` tells it. False, and no effect, if no worker of this id lives that asks."""
        ...


def presence_to_json(presence: Presence) -> str:
    """A presence as brokers without a format of their own keep it."""
    running = [
        {**job._asdict(), "payload": base64.b64encode(job.payload).decode()}
        for job in presence.running
    ]
    return json.dumps({**presence._asdict(), "queues": dict(presence.queues), "running": running})


def presence_from_json(text: str) -> Presence:
    """The presence that `presence_to_json` made this of."""
    fields: dict[str, Any] = json.loads(text)
    # Brokers keep beside it of what size the worker should be.
    fields.pop("wish", None)
    running = tuple(
        Running(**job)._replace(payload=base64.b64decode(job["payload"]))
        for job in fields.pop("running")
    )
    return Presence(**fields, running=running)
