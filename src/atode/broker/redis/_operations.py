"""What operators do to queues and jobs by hand (the protocol's sections 8.12 and 13).

Many jobs are moved by many short script calls, so that Redis serves others in between. What
was done before a call failed stays done; the same operation again does the rest.
"""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from atode.broker.protocol import Which
from atode.broker.redis import messages
from atode.broker.redis._batches import ARCHIVE_AGE, ARCHIVE_SIZE, CHUNK, nanoseconds
from atode.broker.redis._inspection import Inspection
from atode.broker.redis._scripts import (
    ARCHIVE,
    CLEAR,
    DELETE,
    DETACH,
    REPLACE,
    RUN,
    Argument,
    Command,
)
from atode.broker.redis.keys import QUEUES, QueueKeys, keys_of, raw_id
from atode.job import ARCHIVABLE, DELETABLE, RUNNABLE, State

_COUNTER_DAYS = 92
"""Daily counters live for 90 days; clocks differ."""

_Script = Callable[[State | None, int, Sequence[bytes]], Command]
"""A script call for so many jobs of a state, or for these ids."""


class Operations(Inspection):
    """An operator's hand in Redis, and the eyes that it needs."""

    async def run(self, queue: str, which: Which) -> int:
        """Make jobs pending now, last in line; how many it were."""
        keys = keys_of(queue)
        now = nanoseconds(self._clock.now())

        def script(state: State | None, limit: int, ids: Sequence[bytes]) -> Command:
            return RUN.call(_all_places(keys), keys.jobs, state or "", limit, keys.group, now, *ids)

        return await self._each(queue, which, RUNNABLE, script)

    async def archive(self, queue: str, which: Which) -> int:
        """Move jobs into the archive, which keeps the newest 9,999; how many it were."""
        keys = keys_of(queue)
        now = math.floor(self._clock.now())

        def script(state: State | None, limit: int, ids: Sequence[bytes]) -> Command:
            terms = (keys.group, now, now - ARCHIVE_AGE, ARCHIVE_SIZE)
            return ARCHIVE.call(_all_places(keys), keys.jobs, state or "", limit, *terms, *ids)

        return await self._each(queue, which, ARCHIVABLE, script)

    async def delete(self, queue: str, which: Which) -> int:
        """Delete jobs and unlock what they have locked; how many it were."""
        keys = keys_of(queue)

        def script(state: State | None, limit: int, ids: Sequence[bytes]) -> Command:
            prefixes = (keys.group, keys.unique)
            return DELETE.call(_all_places(keys), keys.jobs, state or "", limit, *prefixes, *ids)

        return await self._each(queue, which, DELETABLE, script)

    async def replace_payload(self, queue: str, job_id: str, payload: bytes) -> bool:
        """Give a scheduled job other arguments; the rest of its message and its lock stay.

        False also for a message that nobody can read.
        """
        written = -1
        while written < 0:  # Somebody else rewrote the message in between.
            written = await self._replace(queue, job_id, payload)
        return bool(written)

    async def pause(self, queue: str) -> bool:
        """Let nothing more be claimed from the queue, by Go workers either."""
        second = math.floor(self._clock.now())
        answer = await self._link.call([("SET", keys_of(queue).paused, second, "NX")])
        # What was sent twice may have been done by the first sending.
        return answer.replies[0] is not None or answer.resent

    async def resume(self, queue: str) -> bool:
        """Let the queue go on; who waits for it notices within a second."""
        keys = keys_of(queue)
        answer = await self._link.call([("DEL", keys.paused), ("HDEL", keys.move, "paused")])
        return answer.replies[0] == 1 or answer.resent

    async def remove(self, queue: str, *, force: bool = False) -> bool:
        """Remove a queue, unless it holds jobs: out of sight in one step, then in small ones.

        A removal that was interrupted after the first step is finished by the next one.
        """
        detached = -1
        while detached < 0:
            command = _detach_command(queue, self._clock.now(), force=force)
            [detached] = (await self._link.call([command])).replies
            if detached < 0:
                await self._clear(queue)
        if not detached:
            return False
        await self._link.call([("SREM", QUEUES, queue)])
        if any((await self.counts(queue)).values()):
            # Somebody used it anew in between, and must not stay out of sight.
            await self._link.call([("SADD", QUEUES, queue)])
        await self._clear(queue)
        return True

    async def _each(
        self, queue: str, which: Which, movable: frozenset[State], script: _Script
    ) -> int:
        if not isinstance(which, State):
            return await self._each_named(which, script)
        if which not in movable:
            return 0
        # Those that come meanwhile are not meant, or this might never end.
        left = (await self.counts(queue))[which]
        number = 0
        while left > 0:
            [[moved, looked]] = (
                await self._link.call([script(which, min(left, CHUNK), ())])
            ).replies
            number += moved
            left = left - looked if looked else 0
        return number

    async def _each_named(self, names: Sequence[str], script: _Script) -> int:
        ids = [raw_id(name) for name in dict.fromkeys(names)]
        number = start = 0
        while start < len(ids):
            command = script(None, 0, ids[start : start + CHUNK])
            [[moved, looked]] = (await self._link.call([command])).replies
            number += moved
            start += looked
        return number

    async def _replace(self, queue: str, job_id: str, payload: bytes) -> int:
        keys = keys_of(queue)
        key = keys.job(job_id)
        [stored] = (await self._link.call([("HGET", key, "msg")])).replies
        if stored is None:
            return 0
        job, _ = messages.read(stored, queue, job_id, State.SCHEDULED)
        if not job.task:
            return 0
        message = messages.updated(stored, job, job._replace(payload=payload))
        command = REPLACE.call((key, keys.scheduled), raw_id(job_id), stored, message)
        [written] = (await self._link.call([command])).replies
        return int(written)

    async def _clear(self, queue: str) -> None:
        keys = keys_of(queue)
        removed = [keys.removed + place.removeprefix(keys.prefix) for place in _all_places(keys)]
        groups = keys.removed + keys.group.removeprefix(keys.prefix)
        command = CLEAR.call(removed, keys.jobs, keys.unique, groups, CHUNK)
        looked = 1
        while looked:
            [looked] = (await self._link.call([command])).replies


def _places(keys: QueueKeys) -> tuple[str, ...]:
    return (keys.pending, keys.scheduled, keys.retry, keys.archived, keys.completed)


def _all_places(keys: QueueKeys) -> tuple[str, ...]:
    return (*_places(keys), keys.groups)


def _detach_command(queue: str, now: float, *, force: bool) -> Command:
    keys = keys_of(queue)
    tomorrow = datetime.fromtimestamp(now, UTC).date() + timedelta(days=1)
    days = [(tomorrow - timedelta(days=ago)).isoformat() for ago in range(_COUNTER_DAYS)]
    force_flag: Argument = "1" if force else "0"
    return DETACH.call(
        (
            *(keys.active, keys.groups, keys.aggregation_sets),
            *_places(keys),
            *(keys.lease, keys.paused, keys.processed, keys.failed, keys.ticks, keys.visits),
            keys.ticked,
            *(keys.move, keys.received),
            *[keys.processed_on(day) for day in days],
            *[keys.failed_on(day) for day in days],
        ),
        keys.prefix,
        keys.removed,
        keys.group,
        force_flag,
    )
