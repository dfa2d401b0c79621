"""Which of asynq's keys there are: one walk through the keyspace, in small steps."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from atode.broker.redis._link import Server

MOST_KEYS = 200_000
_MOST_STEPS = 2_000
_STEP = 1_000

_OF_QUEUE = re.compile(rb"asynq:\{(.*?)\}:(.+)", re.DOTALL)


@dataclass(slots=True)
class QueueKeysSeen:
    """What the walk has seen of one queue."""

    kinds: Counter[str] = field(default_factory=Counter[str])
    """Keys by the first word of what follows the queue's prefix."""
    ids: list[bytes] = field(default_factory=list[bytes])
    """Of the hashes of jobs."""
    groups: list[bytes] = field(default_factory=list[bytes])
    """What follows `g:`: names of groups, and of aggregation sets."""
    locks: list[bytes] = field(default_factory=list[bytes])
    """Whole keys."""


@dataclass(slots=True)
class Census:
    """What the walk has seen."""

    queues: dict[bytes, QueueKeysSeen] = field(default_factory=dict[bytes, QueueKeysSeen])
    servers: list[bytes] = field(default_factory=list[bytes])
    """Presences."""
    histories: list[bytes] = field(default_factory=list[bytes])
    """Of schedules."""
    looked: int = 0
    whole: bool = True
    """Whether it went to the end."""

    def count(self, keys: Iterable[bytes]) -> None:
        """Put keys where they belong."""
        for key in keys:
            self.looked += 1
            if match := _OF_QUEUE.fullmatch(key):
                self._count_of_queue(match[1], match[2], key)
            elif key.startswith(b"asynq:servers:"):
                self.servers.append(key)
            elif key.startswith(b"asynq:scheduler_history:"):
                self.histories.append(key)

    def _count_of_queue(self, queue: bytes, rest: bytes, key: bytes) -> None:
        seen = self.queues.setdefault(queue, QueueKeysSeen())
        kind, _, name = rest.partition(b":")
        seen.kinds[kind.decode("utf-8", "replace")] += 1
        if kind == b"t":
            seen.ids.append(name)
        elif kind == b"g":
            seen.groups.append(name)
        elif kind == b"unique":
            seen.locks.append(key)


async def walk(servers: Sequence[Server], most: int = MOST_KEYS) -> Census:
    """Look at up to `most` of asynq's keys; a key that comes twice is counted twice."""
    census = Census()
    for server in servers:
        cursor: bytes | str = "0"
        for _ in range(_MOST_STEPS):
            command = ("SCAN", cursor, "MATCH", "asynq:*", "COUNT", _STEP)
            [[cursor, keys]] = (await server.call([command])).replies
            census.count(keys)
            if cursor == b"0" or census.looked >= most:
                break
        census.whole = census.whole and cursor == b"0"
    return census
