"""Moving queues from this store to another, or from another one to this."""

from collections.abc import Sequence

from atode.broker.memory._cancelling import Cancelling
from atode.broker.memory.store import Move, Queue, Record
from atode.job import State
from atode.transfer import Arrival, Departure, Left, Moved, Stamp, goes_on, id_taken, superseded


class Moving(Cancelling):
    """What a move needs to remember is kept with the queue."""

    async def start_giving(self, queue: str, *, mover: str) -> Departure:
        with self._store.lock:
            mine = self._store.queue(queue)
            mine.move.mover = mover
            mine.move.pauses = mine.move.pauses or not mine.paused
            mine.paused = True
            return Departure(mine.move.given, not mine.move.pauses)

    async def give(
        self, queue: str, state: State, *, mover: str, offset: int = 0, limit: int = 500
    ) -> Sequence[Moved]:
        with self._store.lock:
            mine = self._of(queue, mover)
            if not mine.paused:
                raise goes_on(queue)
            found = await self.find(queue, state, offset=offset, limit=limit)
            return [self._moved(mine, mine.records[job.id]) for job in found]

    async def given(self, queue: str, ids: Sequence[str], *, stamp: Stamp) -> Sequence[str]:
        with self._store.lock:
            mine = self._of(queue, stamp.mover)
            if mine.move.given == stamp:
                return []
            mine.move.given = stamp
            for job_id in ids:
                # Whoever gives a job away may get it back.
                mine.move.received.pop(job_id, None)
            await self.delete(queue, ids)
            return [job_id for job_id in ids if job_id in mine.records]

    async def start_receiving(
        self, queue: str, *, mover: str, given: Stamp | None, paused: bool
    ) -> None:
        with self._store.lock:
            mine = self._store.queue(queue)
            mine.paused = mine.paused or (paused and not mine.move.receives)
            mine.move.mover = mover
            mine.move.receives = True
            _forget(mine, given)

    async def receive(self, queue: str, jobs: Sequence[Moved], *, stamp: Stamp) -> Arrival:
        refused: list[Left] = []
        unlocked: list[str] = []
        with self._store.lock:
            mine = self._of(queue, stamp.mover)
            mine.is_used = True
            _forget(mine, Stamp(stamp.mover, stamp.number - 1))
            for moved in jobs:
                job_id = moved.job.id
                if job_id in mine.records and job_id not in mine.move.received:
                    refused.append(id_taken(job_id))
                    continue
                if job_id not in mine.move.received:
                    unlocked += [] if self._store_moved(mine, moved) else [job_id]
                mine.move.received[job_id] = stamp
            self._store.ring()
        return Arrival(refused, unlocked)

    async def finish_moving(self, queue: str, *, mover: str) -> None:
        with self._store.lock:
            mine = self._store.queue(queue)
            if mine.move.mover == mover:
                mine.move = Move(pauses=mine.move.pauses)

    def _of(self, queue: str, mover: str) -> Queue:
        mine = self._store.queue(queue)
        if mine.move.mover != mover:
            raise superseded(queue)
        return mine

    def _moved(self, mine: Queue, record: Record) -> Moved:
        job = record.job
        holder, until = mine.lock_on(job)
        left = max(until - self._clock.now(), 0.0) if holder == job.id else 0.0
        match job.state:
            case State.PENDING | State.AGGREGATING:
                since = record.waits_since
            case State.ARCHIVED:
                since = record.archived_at
            case _:
                since = 0.0
        return Moved.of(job, since, left)

    def _store_moved(self, mine: Queue, moved: Moved) -> bool:
        """Store it, and lock what it has locked; False if another job has that lock."""
        job, now = moved.job, self._clock.now()
        record = Record(job, archived_at=moved.since, waits_since=moved.since)
        mine.records[job.id] = record
        if job.state is State.PENDING:
            mine.pending.append(job.id)
        elif job.state in (State.SCHEDULED, State.RETRY):
            mine.delayed[job.id] = record
        if not moved.lock_left:
            return True
        holder, until = mine.lock_on(job)
        if until > now and holder != job.id:
            return False
        mine.locks[job.unique] = (job.id, now + moved.lock_left)
        return True


def _forget(mine: Queue, given: Stamp | None) -> None:
    """What was received up to this stamp is gone from the old store."""
    if given is None:
        return
    mine.move.received = {
        job_id: stamp
        for job_id, stamp in mine.move.received.items()
        if stamp.mover != given.mover or stamp.number > given.number
    }
