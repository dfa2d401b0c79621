"""Looking through the containers of a queue, window by window; and repairing what is found."""

from collections.abc import AsyncIterator, Collection
from typing import NamedTuple

from atode.broker.redis._batches import CHUNK, CHUNK_BYTES
from atode.broker.redis._link import Link
from atode.broker.redis._scripts import ASTRAY, AUDIT, FIND
from atode.broker.redis.keys import keys_of
from atode.job import State

MOST_JOBS = 100_000
"""Ids of one container that are looked at."""

_MOST_READ = 2_000
_MOST_BYTES = 8_000_000

KINDS = ("ghosts", "unleased", "halfway", "elsewhere", "fractions")
"""In the order of audit.lua."""


class Odd(NamedTuple):
    """How many jobs of a container have the same thing wrong with them."""

    number: int = 0
    first: bytes = b""

    def and_then(self, number: int, first: bytes) -> "Odd":
        """With those of one more window."""
        return Odd(self.number + number, self.first or first)


class Audit(NamedTuple):
    """What is wrong with the jobs of one container."""

    looked: int
    whole: bool
    odd: dict[str, Odd]
    """By kind; kinds that were not found are not there."""


async def audit(
    link: Link, queue: str, state: State, *, now: float, repairs: bool = False
) -> Audit:
    """Look at up to a hundred thousand jobs, the oldest first."""
    keys = keys_of(queue)
    looked = offset = 0
    odd: dict[str, Odd] = {}
    while looked < MOST_JOBS:
        command = AUDIT.call(
            (keys.containers[state], keys.active, keys.lease),
            *(keys.jobs, state.value, offset, CHUNK, "1" if repairs else "0", int(now)),
        )
        [[some, left, *counts]] = (await link.call([command])).replies
        for n, kind in enumerate(KINDS):
            if counts[2 * n]:
                odd[kind] = odd.get(kind, Odd()).and_then(counts[2 * n], counts[2 * n + 1])
        looked += some
        offset += some - left
        if some < CHUNK:
            return Audit(looked, True, odd)
    return Audit(looked, False, odd)


async def astray(
    link: Link, queue: str, ids: Collection[bytes], *, now: float, archives: bool = False
) -> list[bytes]:
    """Those of the ids whose job is in no container."""
    keys = keys_of(queue)
    places = (
        *(keys.pending, keys.active, keys.lease, keys.scheduled, keys.retry),
        *(keys.archived, keys.completed, keys.aggregation_sets),
    )
    left = list(ids)
    found: list[bytes] = []
    while left:
        command = ASTRAY.call(
            places, keys.jobs, keys.group, "1" if archives else "0", int(now), *left[:CHUNK]
        )
        [[looked, *some]] = (await link.call([command])).replies
        found += some
        del left[:looked]
    return found


async def pending_ids(link: Link, queue: str) -> set[bytes] | None:
    """All that are pending, so that each need not be searched for; None if they are too many."""
    keys = keys_of(queue)
    [number] = (await link.call([("LLEN", keys.pending)])).replies
    if number > MOST_JOBS:
        return None
    found: set[bytes] = set()
    for start in range(0, number, 10_000):
        command = ("LRANGE", keys.pending, -start - 10_000, -start - 1)
        [some] = (await link.call([command])).replies
        found.update(some)
    return found


class Stored(NamedTuple):
    """A job as it is stored."""

    id: bytes
    message: bytes


async def stored(link: Link, queue: str, state: State) -> AsyncIterator[Stored]:
    """Up to two thousand jobs of a container, or as many as have 8 MB of messages."""
    keys = keys_of(queue)
    offset = read = 0
    while offset < _MOST_READ and read < _MOST_BYTES:
        command = FIND.call(
            (keys.containers[state],),
            *(keys.jobs, keys.group, state.value, offset, CHUNK, CHUNK_BYTES),
        )
        [[looked, cut, *parts]] = (await link.call([command])).replies
        for start in range(0, len(parts), 5):
            read += len(parts[start + 2])
            yield Stored(parts[start], parts[start + 2])
        offset += looked
        if looked < CHUNK and cut != b"1":
            return
