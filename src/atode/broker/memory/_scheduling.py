"""What schedulers show, and their ticks."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from atode.broker.memory._defining import Defining
from atode.broker.memory.store import LastTick, Queue
from atode.job import UNFINISHED
from atode.schedule import Entry, Fired, Tick, Ticked, distinct

HISTORY_SIZE = 1000


class Scheduling(Defining):
    """Schedules in this process."""

    async def show(self, scheduler: str, entries: Sequence[Entry], *, lifetime: float) -> None:
        until = self._clock.now() + lifetime
        with self._store.lock:
            self._store.schedulers[scheduler] = (tuple(entries), until)

    async def hide(self, scheduler: str) -> None:
        with self._store.lock:
            self._store.schedulers.pop(scheduler, None)

    async def entries(self) -> Sequence[Entry]:
        now = self._clock.now()
        with self._store.lock:
            shown = [entries for entries, until in self._store.schedulers.values() if until > now]
        return distinct(entry for entries in shown for entry in entries)

    async def tick(self, ticks: Sequence[Tick], *, worker: str) -> Sequence[Ticked]:
        with self._store.lock:
            came_of = [self._tick(tick, worker) for tick in ticks]
            self._store.ring()
        return came_of

    async def last_ticks(
        self, queue: str, schedules: Sequence[str], *, first: float | None = None
    ) -> Sequence[float | None]:
        with self._store.lock:
            ticks = self._store.queue(queue).ticks
            if first is not None:
                for schedule in schedules:
                    ticks.setdefault(schedule, LastTick(first, "", Ticked.LATE))
            return [ticks[schedule].at if schedule in ticks else None for schedule in schedules]

    async def fired(self, schedule: str, *, offset: int = 0, limit: int = 30) -> Sequence[Fired]:
        with self._store.lock:
            return list(islice(self._store.fired.get(schedule, ()), offset, offset + limit))

    def _tick(self, tick: Tick, worker: str) -> Ticked:
        now = self._clock.now()
        queue = self._store.queue(tick.job.queue)
        last = queue.ticks.get(tick.schedule)
        if last and last.at >= tick.at:
            is_repeated = (last.at, last.worker) == (tick.at, worker)
            return last.ticked if is_repeated else Ticked.LATE
        is_stored = _may_be_stored(tick, queue, last) and queue.add(tick.job, now) is None
        ticked = Ticked.STORED if is_stored else Ticked.REFUSED
        job_id = tick.job.id if is_stored else last.job_id if last else ""
        queue.ticks[tick.schedule] = LastTick(tick.at, worker, ticked, job_id)
        if ticked is Ticked.STORED:
            history = self._store.fired.setdefault(tick.schedule, deque(maxlen=HISTORY_SIZE))
            history.appendleft(Fired(tick.job.id, now))
        return ticked


def _may_be_stored(tick: Tick, queue: Queue, last: LastTick | None) -> bool:
    if tick.may_overlap or last is None:
        return True
    earlier = queue.records.get(last.job_id)
    return earlier is None or earlier.job.state not in UNFINISHED
