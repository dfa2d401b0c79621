"""The broker that keeps jobs in Redis as Go's asynq does, so that both can share queues.

What every operation does to the store stands in the protocol's sections 7, 8 and 11; the
scripts in `lua` do the same for many jobs at once.
"""

import asyncio
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from typing import Self, TypeVar

from atode.broker.protocol import Refused
from atode.broker.redis import _batches, _group_batches
from atode.broker.redis._batches import (
    CHUNK,
    CHUNK_BYTES,
    Batch,
    claim_score,
    lease_score,
    nanoseconds,
)
from atode.broker.redis._claims import claim_command, read_claims
from atode.broker.redis._diagnosis import Diagnosis
from atode.broker.redis._doorbells import Doorbells
from atode.broker.redis._groups import Groups
from atode.broker.redis._limiting import Limiting
from atode.broker.redis._link import Reply
from atode.broker.redis._lost_claims import LostClaims, regain_command
from atode.broker.redis._moving import Moving
from atode.broker.redis._presences import Presences
from atode.broker.redis._routes import link_to
from atode.broker.redis._scheduling import Scheduling
from atode.broker.redis._scripts import PROMOTE, REAP, REPAIR, Command
from atode.broker.redis._standing import StandingClaims
from atode.broker.redis.keys import QUEUES, keys_of
from atode.broker.returns import Returns
from atode.clock import Clock, SystemClock
from atode.errors import BrokerError, BrokerUnavailable
from atode.job import Claim, Job
from atode.outcome import Settlement, released

_WINDOW = 1000
"""Due jobs of one queue that are looked at in one call."""

_GO_PATIENCE = 30
"""Seconds that asynq leaves to an expired lease before it takes the job over (8.9)."""

_CALLS_PER_TRIP = 20
"""Script calls sent together, so that a huge enqueue stays within a call's time limit."""

Item = TypeVar("Item")


class RedisBroker(Groups, Moving, Scheduling, Limiting, Presences, Diagnosis):
    """Jobs in Redis 6.2 or newer, or Valkey, in asynq's format.

    It connects when it is first used, and again by itself after an outage. Instants come from
    `clock`, as asynq's come from its callers; the clocks of all machines should agree.

    Due instants are kept to the millisecond. Where more than a thousand jobs of a queue share
    one second, some of them may come up to the end of that second late.

    Raises:
        BadOption: `url` does not name a Redis, a cluster, or a master that sentinels watch.
    """

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        super().__init__(link_to(url), clock or SystemClock())
        self._url = url
        self._doorbells = Doorbells(self._link)
        self._lost = LostClaims()
        self._standing = StandingClaims(self._link, self._clock)
        self._returns = Returns()

    async def open(self) -> None:
        """Nothing to prepare: Redis may be down, and is connected on first use."""

    async def close(self) -> None:
        """Close all connections; closing twice is harmless."""
        await self._returns.over()
        await self._listener.close()
        await self._doorbells.close()
        await self._standing.close()
        await self._link.close()

    def sibling(self) -> Self:
        """Another broker on the same Redis, for use on another thread's event loop."""
        return type(self)(self._url, self._clock)

    # Queue

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[Refused]:
        """Store new jobs and return the refused ones: their id or what they do is taken.

        A job that is repeated because an answer was lost counts as stored.
        """
        refused: list[Refused] = []
        for some in _batches.apart(jobs):
            refused += await self._enqueue(some)
        return refused

    async def _enqueue(self, jobs: Sequence[Job]) -> Sequence[Refused]:
        refused: list[Refused] = []
        now = self._clock.now()
        for chunks in _trips(_batches.new_chunks(jobs)):
            # With every trip: after a queue was removed it would work, but be invisible.
            register = ("SADD", QUEUES, *{chunk[0].queue for chunk in chunks})
            # Made while they are sent: Redis stores the first jobs while the next are encoded.
            storing = (_enqueue_command(chunk, now) for chunk in chunks)
            answer = await self._link.call(
                chain((register,), storing), again=_batches.enqueue_again
            )
            for chunk, reply in zip(chunks, answer.replies[1:], strict=True):
                refused += _batches.refusals(chunk, reply)
        return refused

    async def claim(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str
    ) -> Sequence[Claim]:
        """Take up to `limit` pending jobs, and hold them for `lease` seconds (8.1).

        A caller that is cancelled meanwhile gets nothing, and its jobs go back.
        """
        taking = self._take(queues, limit, lease, worker)
        return await self._returns.unless_kept(taking, self.settle)

    async def claim_next(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str, at_most: float
    ) -> Sequence[Claim]:
        """Wait for a job of one queue, and have claimed what is there when it comes.

        Up to a fifteenth of the lease may be over by then. With several queues this only waits:
        claims that stood in all of them could bring more than `limit`.
        """
        if len(queues) != 1:
            await self.wait(queues, at_most=at_most)
            return []
        loop = asyncio.get_running_loop()
        end = loop.time() + at_most
        rung, claims = await self._standing.take(
            queues[0],
            limit=limit,
            lease=lease,
            worker=worker,
            at_most=at_most,
            orphaned=partial(self._returns.begin, settle=self.settle),
        )
        if rung and not claims:
            # Somebody else has it, or the queue is paused: not to be asked at once again.
            await self.wait(queues, at_most=max(end - loop.time(), 0.0))
        return claims

    async def extend(self, claims: Sequence[Claim], *, lease: float) -> Sequence[Claim]:
        """Hold claims for `lease` seconds from now, and return the lost ones (8.8)."""
        batches = list(_batches.extend_batches(claims, self._clock.now() + lease))
        answer = await self._link.call([batch.command for batch in batches])
        return _chosen(batches, answer.replies)

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Settlement]:
        """Write how claims ended, and return those whose claim does not hold its job (8.2 to 8.6).

        Where an answer was lost and the call repeated, a refusal says nothing: none is reported.
        """
        refused: list[Settlement] = []
        for batches in _trips(_batches.settle_batches(settlements, self._clock.now())):
            answer = await self._link.call([batch.command for batch in batches])
            if not answer.resent:
                refused += _chosen(batches, answer.replies)
        return refused

    async def wait(self, queues: Sequence[str], *, at_most: float) -> None:
        """Return as soon as one of the queues may have a pending job, whoever stored it.

        Jobs in a paused queue do not count; a queue that goes on is noticed within a second.
        """
        await self._doorbells.wait(queues, at_most)

    # Upkeep

    async def promote(self, queues: Sequence[str]) -> float | None:
        """Make pending what is due, up to a thousand jobs of each queue and kind (8.7).

        The answer is the present instant where there may be more already. In a second that
        more than a hundred jobs share, it is at least 10 ms ahead.
        """
        # First, so that nothing that is stored from now on can be missed by `wait_due`.
        await self._listener.subscribe(_channels(queues))
        now = self._clock.now()
        answer = await self._link.call([_promote_command(queue, now) for queue in queues])
        instants = [
            now if more == b"1" else float(instant)
            for more, instant in answer.replies
            if more == b"1" or instant
        ]
        return min(instants, default=None)

    async def wait_due(self, queues: Sequence[str], *, until: float | None) -> None:
        """Sleep until `until`, until the next whole second, or until told of an earlier job.

        Go clients tell nobody, but their jobs are due at whole seconds.
        """
        next_second = math.floor(self._clock.now()) + 1.0
        instant = next_second if until is None else min(until, next_second)
        await self._listener.wait(_channels(queues), instant)

    async def reap(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str
    ) -> Sequence[Claim]:
        """Take over jobs whose lease has run out: atode's at once, a Go worker's after 30 s (8.9).

        Active jobs that have no lease at all (as an eviction or a crash leaves them) get one
        that has just run out.
        """
        claims: list[Claim] = []
        for queue in queues:
            if len(claims) < limit:
                claims += await self._reap(queue, limit - len(claims), lease, worker)
        return claims

    async def prune(self, queues: Sequence[str]) -> int:
        """Delete what is completed and kept long enough, and archived jobs older than 90 days
        or beyond the newest 9,999 (8.10, 8.5).

        Also gives back to their groups what Go workers that died were aggregating (9.4).
        """
        gone = 0
        for queue in queues:
            command = _batches.prune_command(queue, self._clock.now())
            deleted = CHUNK
            while deleted >= CHUNK:
                [deleted] = (await self._link.call([command])).replies
                gone += deleted
            await self._reclaim(queue)
        return gone

    async def _take(
        self, queues: Sequence[str], limit: int, lease: float, worker: str
    ) -> list[Claim]:
        claims: list[Claim] = []
        try:
            for queue in queues:
                more = True
                while more and len(claims) < limit:
                    more, found = await self._claim(queue, limit - len(claims), lease, worker)
                    claims += found
        except BrokerError:
            # What was claimed before would be out of everyone's reach until its lease ends.
            # The next call meets the error again.
            if not claims:
                raise
        return claims

    async def _claim(
        self, queue: str, limit: int, lease: float, worker: str
    ) -> tuple[bool, Iterable[Claim]]:
        until = self._clock.now() + lease
        if regained := await self._regain(queue, limit, until, worker):
            return True, regained
        command = claim_command(queue, limit, claim_score(until), worker)
        try:
            answer = await self._link.call([command])
        except BrokerUnavailable:
            self._lost.lose(queue, worker, until)
            raise
        [reply] = answer.replies
        found: Iterable[Claim] = read_claims(islice(reply, 1, None), queue, worker, until)
        if answer.resent:
            found = await self._with_first(list(found), queue, limit, until, worker)
        self._lost.answer(queue, worker, until)
        return reply[0] == b"1", found

    async def _regain(self, queue: str, limit: int, until: float, worker: str) -> list[Claim]:
        """Jobs of claims whose answer got lost; the rest of them another time."""
        for lost in self._lost.of(queue, worker, self._clock.now()):
            command = regain_command(queue, worker, lost, limit=limit, until=until)
            [reply] = (await self._link.call([command])).replies
            if claims := list(read_claims(reply, queue, worker, until)):
                return claims
        return []

    async def _with_first(
        self, found: list[Claim], queue: str, limit: int, until: float, worker: str
    ) -> list[Claim]:
        """What the second sending of a claim has brought, and what the first one had taken."""
        command = regain_command(*(queue, worker, until), limit=limit, until=until, arrived=found)
        with suppress(BrokerError):
            [reply] = (await self._link.call([command])).replies
            found = [*read_claims(reply, queue, worker, until), *found]
            # Both may have taken as many as there was room for.
            await self.settle([released(claim) for claim in found[limit:]])
        return found[:limit]

    async def _reap(self, queue: str, limit: int, lease: float, worker: str) -> list[Claim]:
        keys = keys_of(queue)
        now = self._clock.now()
        until = now + lease
        containers = (keys.active, keys.lease)
        repair = REPAIR.call(containers, keys.jobs, math.floor(now), _WINDOW)
        reap = REAP.call(
            containers,
            keys.jobs,
            min(limit, CHUNK),
            repr(now),
            repr(now - _GO_PATIENCE),
            lease_score(until),
            worker,
            CHUNK_BYTES,
        )
        [_, reply] = (await self._link.call([repair, reap])).replies
        return list(read_claims(reply, queue, worker, until))


def _enqueue_command(chunk: Sequence[Job], now: float) -> Command:
    if chunk[0].group:
        return _group_batches.join_command(chunk, now)
    return _batches.enqueue_command(chunk, now)


def _promote_command(queue: str, now: float) -> Command:
    keys = keys_of(queue)
    return PROMOTE.call(
        (keys.scheduled, keys.retry, keys.pending, keys.groups),
        keys.jobs,
        keys.group,
        repr(now),
        nanoseconds(now),
        _WINDOW,
    )


def _channels(queues: Sequence[str]) -> Sequence[str]:
    return [keys_of(queue).soon for queue in queues]


def _trips(calls: Iterator[Item]) -> Iterator[list[Item]]:
    while trip := list(islice(calls, _CALLS_PER_TRIP)):
        yield trip


def _chosen(batches: Sequence[Batch[Item]], replies: Sequence[Reply]) -> list[Item]:
    return [
        item
        for batch, places in zip(batches, replies, strict=True)
        for item in batch.chosen(places)
    ]
