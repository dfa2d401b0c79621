"""Cancelling jobs, and hearing that running ones were cancelled."""

from collections.abc import Sequence

from atode.broker.memory._inspection import Inspection
from atode.broker.memory.store import Store
from atode.broker.protocol import Cancellation, Which
from atode.clock import Clock
from atode.job import CANCELLABLE, Claim, State
from atode.outcome import cancelled


class Cancelling(Inspection):
    """Marks are kept with the jobs; what was told already is remembered here."""

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__(store, clock)
        self._told: dict[str, set[Cancellation]] = {}

    async def cancel(self, queue: str, which: Which) -> int:
        now = self._clock.now()
        with self._store.lock:
            mine = self._store.queue(queue)
            chosen = self._chosen(queue, which, CANCELLABLE)
            for record in chosen:
                if record.job.state is State.ACTIVE:
                    mine.cancelled.add(record.job.id)
                    continue
                mine.leave(record)
                record.job = cancelled(record.job, now)
                record.archived_at = now
            self._store.ring()
        return len(chosen)

    async def cancellations(
        self, queues: Sequence[str], *, worker: str, at_most: float
    ) -> Sequence[Cancellation]:
        def has_news() -> bool:
            return bool(self._marks(queues) - self._told.get(worker, set()))

        until = self._clock.now() + at_most
        while not has_news() and self._clock.now() < until:
            await self._store.changed(until, self._clock, unless=has_news)
        with self._store.lock:
            before, self._told[worker] = self._told.get(worker, set()), self._marks(queues)
            return list(self._told[worker] - before)

    async def marked(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        with self._store.lock:
            return [claim for claim in claims if self._is_marked(claim)]

    def _is_marked(self, claim: Claim) -> bool:
        queue = self._store.queue(claim.job.queue)
        record = queue.records.get(claim.job.id)
        return bool(record and record.is_held_by(claim) and claim.job.id in queue.cancelled)

    def _marks(self, queues: Sequence[str]) -> set[Cancellation]:
        with self._store.lock:
            return {
                Cancellation(job_id, queue)
                for queue in queues
                for job_id in self._store.queue(queue).cancelled
            }
