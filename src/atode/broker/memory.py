"""The broker protocol in plain dictionaries: what it means, readable in one sitting.

For tests: jobs live in this process and go with it.
"""

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from atode.clock import Clock, SystemClock, wait_until
from atode.job import Claim, Job, State
from atode.outcome import Settlement
from atode.presence import Presence

ARCHIVE_SIZE = 10_000
ARCHIVE_AGE = 90 * 86_400.0


@dataclass(slots=True)
class _Record:
    job: Job
    claims: int = 0
    holder: str = ""
    lease_until: float = 0.0

    def is_held_by(self, claim: Claim) -> bool:
        return (
            self.job.state is State.ACTIVE
            and self.claims == claim.number
            and self.holder == claim.worker
        )

    def claim(self, worker: str, until: float) -> Claim:
        self.job = self.job._replace(state=State.ACTIVE)
        self.claims += 1
        self.holder = worker
        self.lease_until = until
        return Claim(self.job, worker, self.claims, until)


@dataclass(slots=True)
class _Queue:
    records: dict[str, _Record] = field(default_factory=dict[str, _Record])
    pending: deque[str] = field(default_factory=deque[str])

    def in_state(self, *states: State) -> Iterator[_Record]:
        return (record for record in self.records.values() if record.job.state in states)


class _Store:
    """What all siblings share, under one lock; and whom to wake when it changes."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.queues: dict[str, _Queue] = {}
        self.presences: dict[str, tuple[Presence, float]] = {}
        self._bells: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def queue(self, name: str) -> _Queue:
        return self.queues.setdefault(name, _Queue())

    async def changed(
        self, until: float, clock: Clock, *, unless: Callable[[], bool] = lambda: False
    ) -> None:
        bell = (asyncio.get_running_loop(), asyncio.Event())
        with self.lock:
            # One look under the lock that adds the bell: a change comes before it and is
            # seen, or after it and rings.
            if unless():
                return
            self._bells.add(bell)
        try:
            await wait_until(bell[1], until, clock)
        finally:
            with self.lock:
                self._bells.discard(bell)

    def ring(self) -> None:
        for loop, event in self._bells:
            loop.call_soon_threadsafe(event.set)


class MemoryBroker:
    """All jobs in one process; several workers and siblings may share it."""

    def __init__(self, clock: Clock | None = None, *, _store: _Store | None = None) -> None:
        self._clock = clock or SystemClock()
        self._store = _store or _Store()

    async def open(self) -> None:
        """Nothing to prepare."""

    async def close(self) -> None:
        """Nothing to let go of; the jobs stay."""

    def sibling(self) -> Self:
        return type(self)(self._clock, _store=self._store)

    # Queue

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[Job]:
        refused: list[Job] = []
        with self._store.lock:
            for job in jobs:
                queue = self._store.queue(job.queue)
                if job.id in queue.records:
                    refused.append(job)
                    continue
                queue.records[job.id] = _Record(job)
                if job.state is State.PENDING:
                    queue.pending.append(job.id)
            self._store.ring()
        return refused

    async def claim(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str
    ) -> Sequence[Claim]:
        until = self._clock.now() + lease
        claims: list[Claim] = []
        with self._store.lock:
            for name in queues:
                queue = self._store.queue(name)
                while queue.pending and len(claims) < limit:
                    record = queue.records[queue.pending.popleft()]
                    claims.append(record.claim(worker, until))
        return claims

    async def extend(self, claims: Sequence[Claim], *, lease: float) -> Sequence[Claim]:
        until = self._clock.now() + lease
        lost: list[Claim] = []
        with self._store.lock:
            for claim in claims:
                record = self._held(claim)
                if record:
                    record.lease_until = until
                else:
                    lost.append(claim)
        return lost

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Settlement]:
        refused: list[Settlement] = []
        with self._store.lock:
            for settlement in settlements:
                record = self._held(settlement.claim)
                if record:
                    self._write(record, settlement.after)
                else:
                    refused.append(settlement)
            self._store.ring()
        return refused

    async def wait(self, queues: Sequence[str], *, at_most: float) -> None:
        def has_jobs() -> bool:
            return any(self._store.queue(name).pending for name in queues)

        until = self._clock.now() + at_most
        await self._store.changed(until, self._clock, unless=has_jobs)

    # Upkeep

    async def promote(self, queues: Sequence[str]) -> float | None:
        now = self._clock.now()
        with self._store.lock:
            waiting = sorted(
                (record for name in queues for record in self._waiting(name)),
                key=lambda record: record.job.due,
            )
            due = [record for record in waiting if record.job.due <= now]
            for record in due:
                record.job = record.job._replace(state=State.PENDING)
                self._store.queue(record.job.queue).pending.append(record.job.id)
            if due:
                self._store.ring()
        return waiting[len(due)].job.due if len(waiting) > len(due) else None

    async def wait_due(self, queues: Sequence[str], *, until: float | None) -> None:
        limit = self._clock.now() + 60 if until is None else until

        def has_earlier() -> bool:
            waiting = (record for name in queues for record in self._waiting(name))
            return any(until is None or record.job.due < until for record in waiting)

        await self._store.changed(limit, self._clock, unless=has_earlier)

    async def reap(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str
    ) -> Sequence[Claim]:
        now = self._clock.now()
        with self._store.lock:
            expired = [
                record
                for name in queues
                for record in self._store.queue(name).in_state(State.ACTIVE)
                if record.lease_until <= now
            ]
            return [record.claim(worker, now + lease) for record in expired[:limit]]

    async def prune(self, queues: Sequence[str]) -> int:
        now = self._clock.now()
        gone = 0
        with self._store.lock:
            for name in queues:
                queue = self._store.queue(name)
                archived = sorted(
                    queue.in_state(State.ARCHIVED), key=lambda record: -record.job.last_failed_at
                )
                old = [record for record in archived if _is_old(record.job, now)]
                over = archived[ARCHIVE_SIZE:]
                kept = queue.in_state(State.COMPLETED)
                stale = [record for record in kept if record.job.kept_until <= now]
                doomed = {record.job.id for record in (*old, *over, *stale)}
                for job_id in doomed:
                    del queue.records[job_id]
                gone += len(doomed)
        return gone

    async def beat(self, presence: Presence, *, lifetime: float) -> None:
        with self._store.lock:
            self._store.presences[presence.worker] = (presence, self._clock.now() + lifetime)

    async def leave(self, presence: Presence) -> None:
        with self._store.lock:
            self._store.presences.pop(presence.worker, None)

    # Inspect

    async def get(self, queue: str, job_id: str) -> Job | None:
        with self._store.lock:
            record = self._store.queue(queue).records.get(job_id)
            return record.job if record else None

    async def counts(self, queue: str) -> Mapping[State, int]:
        with self._store.lock:
            records = self._store.queue(queue).records.values()
            found = Counter(record.job.state for record in records)
        return {state: found[state] for state in State}

    async def workers(self) -> Sequence[Presence]:
        now = self._clock.now()
        with self._store.lock:
            return [seen for seen, until in self._store.presences.values() if until > now]

    def _waiting(self, queue: str) -> Iterator[_Record]:
        return self._store.queue(queue).in_state(State.SCHEDULED, State.RETRY)

    def _held(self, claim: Claim) -> _Record | None:
        record = self._store.queue(claim.job.queue).records.get(claim.job.id)
        return record if record and record.is_held_by(claim) else None

    def _write(self, record: _Record, after: Job | None) -> None:
        queue = self._store.queue(record.job.queue)
        if after is None:
            del queue.records[record.job.id]
            return
        record.job = after
        if after.state is State.PENDING:
            queue.pending.appendleft(after.id)


def _is_old(job: Job, now: float) -> bool:
    return job.last_failed_at <= now - ARCHIVE_AGE
