"""The broker protocol in plain dictionaries: what it means, readable in one sitting.

For tests: jobs live in this process and go with it.
"""

from collections.abc import Sequence
from datetime import date
from typing import Self

from atode.broker.memory._diagnosis import Diagnosis
from atode.broker.memory._groups import Groups
from atode.broker.memory._inspection import day_of
from atode.broker.memory._limiting import Limiting
from atode.broker.memory._moving import Moving
from atode.broker.memory._presences import Presences
from atode.broker.memory._scheduling import Scheduling
from atode.broker.memory.store import Record, Store
from atode.broker.protocol import Refused
from atode.clock import Clock, SystemClock
from atode.job import ARCHIVE_AGE, ARCHIVE_SIZE, Claim, Job, State
from atode.outcome import Settlement, Tally, cancelled


class MemoryBroker(Groups, Moving, Scheduling, Limiting, Presences, Diagnosis):
    """All jobs in one process; several workers and siblings may share it."""

    def __init__(self, clock: Clock | None = None, *, _store: Store | None = None) -> None:
        super().__init__(_store or Store(), clock or SystemClock())

    async def open(self) -> None:
        """Nothing to prepare."""

    async def close(self) -> None:
        """Nothing to let go of; the jobs stay."""

    def sibling(self) -> Self:
        return type(self)(self._clock, _store=self._store)

    # Queue

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[Refused]:
        now = self._clock.now()
        refused: list[Refused] = []
        with self._store.lock:
            for job in jobs:
                holder = self._store.queue(job.queue).add(job, now)
                if holder is not None:
                    refused.append(Refused(job, holder))
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
                while queue.pending and len(claims) < limit and not queue.paused:
                    # Last among the active ones, which are listed as they were claimed.
                    job_id = queue.pending.popleft()
                    queue.records[job_id] = record = queue.records.pop(job_id)
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
        now = self._clock.now()
        today = day_of(now)
        refused: list[Settlement] = []
        waiting: list[Job] = []
        with self._store.lock:
            for settlement in settlements:
                record = self._held(settlement.claim)
                if record:
                    self._write(record, settlement, now, today)
                    if record.job.state is State.PENDING:
                        waiting.append(record.job)
                else:
                    refused.append(settlement)
            # Together first in line, in the order in which they are given.
            for job in reversed(waiting):
                self._store.queue(job.queue).pending.appendleft(job.id)
            self._store.ring()
        return refused

    async def wait(self, queues: Sequence[str], *, at_most: float) -> None:
        def has_jobs() -> bool:
            return any(
                queue.pending and not queue.paused for queue in map(self._store.queue, queues)
            )

        until = self._clock.now() + at_most
        await self._store.changed(until, self._clock, unless=has_jobs)

    async def claim_next(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str, at_most: float
    ) -> Sequence[Claim]:
        # No way to the store is long enough to be saved.
        await self.wait(queues, at_most=at_most)
        return []

    # Upkeep

    async def promote(self, queues: Sequence[str]) -> float | None:
        now = self._clock.now()
        with self._store.lock:
            waiting = sorted(
                (record for name in queues for record in self._store.queue(name).waiting()),
                key=lambda record: record.job.due,
            )
            due = [record for record in waiting if record.job.due <= now]
            for record in due:
                queue = self._store.queue(record.job.queue)
                if record.job.group and record.job.state is State.SCHEDULED:
                    queue.join(record, now)
                else:
                    queue.append(record, now)
            if due:
                self._store.ring()
        return waiting[len(due)].job.due if len(waiting) > len(due) else None

    async def wait_due(self, queues: Sequence[str], *, until: float | None) -> None:
        limit = self._clock.now() + 60 if until is None else until

        def has_earlier() -> bool:
            waiting = (each for name in queues for each in self._store.queue(name).waiting())
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
            claims = [record.claim(worker, now + lease) for record in expired[:limit]]
            return [claim._replace(cancelled=self._is_marked(claim)) for claim in claims]

    async def prune(self, queues: Sequence[str]) -> int:
        now = self._clock.now()
        gone = 0
        with self._store.lock:
            for name in queues:
                queue = self._store.queue(name)
                archived = sorted(
                    queue.in_state(State.ARCHIVED), key=lambda record: -record.archived_at
                )
                old = [each for each in archived if each.archived_at <= now - ARCHIVE_AGE]
                over = archived[ARCHIVE_SIZE:]
                kept = queue.in_state(State.COMPLETED)
                stale = [record for record in kept if record.job.kept_until <= now]
                doomed = {record.job.id for record in (*old, *over, *stale)}
                for job_id in doomed:
                    del queue.records[job_id]
                gone += len(doomed)
        return gone

    def _held(self, claim: Claim) -> Record | None:
        record = self._store.queue(claim.job.queue).records.get(claim.job.id)
        return record if record and record.is_held_by(claim) else None

    def _write(self, record: Record, settlement: Settlement, now: float, today: date) -> None:
        queue = self._store.queue(record.job.queue)
        queue.tallies[today, settlement.tally] += 1
        if settlement.tally is Tally.SUCCESS:
            queue.unlock(record.job)
        after = settlement.after
        if record.job.id in queue.cancelled:
            queue.cancelled.discard(record.job.id)
            if after and after.state in (State.RETRY, State.PENDING):
                after = cancelled(after, now)
        if after is None:
            del queue.records[record.job.id]
            return
        record.job = after
        record.archived_at = now
        if after.state is State.RETRY:
            queue.delayed[after.id] = record
