"""Looking at queues, and what operators do to them by hand."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from atode.broker.memory._memory import Memory
from atode.broker.memory.store import Record
from atode.broker.protocol import Which
from atode.job import ARCHIVABLE, DELETABLE, RUNNABLE, Job, State
from atode.outcome import Tally
from atode.presence import Presence
from atode.statistics import Day, QueueStats


class Inspection(Memory):
    """An operator's eyes and hands."""

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

    async def queues(self) -> Sequence[str]:
        with self._store.lock:
            return sorted(name for name, queue in self._store.queues.items() if queue.is_used)

    async def stats(self, queue: str) -> QueueStats | None:
        counts = await self.counts(queue)
        with self._store.lock:
            if queue not in await self.queues():
                return None
            mine = self._store.queue(queue)
            first = mine.records[mine.pending[0]].waits_since if mine.pending else 0.0
            total = Counter[Tally]()
            for (_, tally), number in mine.tallies.items():
                total[tally] += number
            failed = total[Tally.FAILURE]
            processed = failed + total[Tally.SUCCESS]
            return QueueStats(queue, counts, mine.paused, first, processed, failed)

    async def history(self, queue: str, days: int) -> Sequence[Day]:
        today = day_of(self._clock.now())
        dates = [today - timedelta(days=ago) for ago in range(days)]
        with self._store.lock:
            tallies = self._store.queue(queue).tallies
            found = [
                (day, tallies[day, Tally.SUCCESS], tallies[day, Tally.FAILURE]) for day in dates
            ]
        return [Day(day, well + badly, badly) for day, well, badly in found]

    async def find(
        self, queue: str, state: State, *, offset: int = 0, limit: int = 30
    ) -> Sequence[Job]:
        with self._store.lock:
            mine = self._store.queue(queue)
            if state is State.PENDING:
                found = [mine.records[job_id] for job_id in mine.pending]
            else:
                found = sorted(mine.in_state(state), key=_IN_ORDER[state])
            return [record.job for record in found[offset : offset + limit]]

    async def run(self, queue: str, which: Which) -> int:
        with self._store.lock:
            chosen = self._chosen(queue, which, RUNNABLE)
            for record in chosen:
                # Not when it was due but now: it is not late.
                record.job = record.job._replace(due=0.0)
                self._store.queue(queue).append(record, self._clock.now())
            self._store.ring()
        return len(chosen)

    async def archive(self, queue: str, which: Which) -> int:
        with self._store.lock:
            chosen = self._chosen(queue, which, ARCHIVABLE)
            for record in chosen:
                self._store.queue(queue).leave(record)
                record.job = record.job._replace(state=State.ARCHIVED)
                record.archived_at = self._clock.now()
        return len(chosen)

    async def delete(self, queue: str, which: Which) -> int:
        with self._store.lock:
            mine = self._store.queue(queue)
            chosen = self._chosen(queue, which, DELETABLE)
            for record in chosen:
                mine.remove(record)
        return len(chosen)

    async def replace_payload(self, queue: str, job_id: str, payload: bytes) -> bool:
        with self._store.lock:
            found = self._chosen(queue, [job_id], {State.SCHEDULED})
            for record in found:
                record.job = record.job._replace(payload=payload)
        return bool(found)

    async def pause(self, queue: str) -> bool:
        with self._store.lock:
            before, self._store.queue(queue).paused = self._store.queue(queue).paused, True
        return not before

    async def resume(self, queue: str) -> bool:
        with self._store.lock:
            before, self._store.queue(queue).paused = self._store.queue(queue).paused, False
            self._store.queue(queue).move.pauses = False
            self._store.ring()
        return before

    async def remove(self, queue: str, *, force: bool = False) -> bool:
        with self._store.lock:
            mine = self._store.queue(queue)
            active = any(True for _ in mine.in_state(State.ACTIVE))
            if active or (mine.records and not force):
                return False
            del self._store.queues[queue]
        return True

    def _chosen(self, queue: str, which: Which, states: Collection[State]) -> list[Record]:
        mine = self._store.queue(queue)
        if isinstance(which, State):
            found = list(mine.in_state(which))
        else:
            found = [
                mine.records[job_id] for job_id in dict.fromkeys(which) if job_id in mine.records
            ]
        return [record for record in found if record.job.state in states]


_IN_ORDER: Mapping[State, Callable[[Record], float]] = {
    State.ACTIVE: lambda record: 0.0,
    State.SCHEDULED: lambda record: record.job.due,
    State.RETRY: lambda record: record.job.due,
    State.ARCHIVED: lambda record: record.archived_at,
    State.COMPLETED: lambda record: record.job.kept_until,
    State.AGGREGATING: lambda record: record.waits_since,
}


def day_of(instant: float) -> date:
    """The day (UTC) for which something counts."""
    return datetime.fromtimestamp(instant, UTC).date()
