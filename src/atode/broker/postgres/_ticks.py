"""Which ticks of a call count, and what is to be written of them; nothing here asks the store."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from atode.broker.postgres._link import Row
from atode.broker.postgres._rows import Columns, key_of, keys_of
from atode.job import Job
from atode.schedule import Tick, Ticked

Schedule = tuple[str, str]
"""A queue, and what ticks in it."""


class LastTick(NamedTuple):
    """The last tick of a schedule that counted, who made it, and what came of it."""

    at: float
    worker: str
    ticked: Ticked
    job: UUID | None = None
    """The row of its job, or of that of the last tick before that became a job."""


class Ticking:
    """One call's ticks, and the records that it holds."""

    def __init__(self, ticks: Sequence[Tick], worker: str, rows: Sequence[Row]) -> None:
        """`rows` as hold_ticks.sql returns them."""
        self._ticks = ticks
        self._worker = worker
        self._last = {
            (queue, schedule): LastTick(at, who, Ticked(ticked), job)
            for queue, schedule, at, who, ticked, job in rows
        }
        self._counting = self._those_that_count()
        self.jobs: dict[int, Job] = dict(self._counting)
        """The jobs that are to be stored, by the places of their ticks among all."""

    def earlier(self) -> Columns:
        """The queues and rows of jobs with which a tick that counts may not overlap."""
        ticks = [self._ticks[place] for place in self._counting]
        wanted = [
            (tick.job.queue, job)
            for tick in ticks
            if not tick.may_overlap and (job := self._last[schedule_of(tick)].job)
        ]
        return [queue for queue, _ in wanted], [job for _, job in wanted]

    def keep_apart(self, unfinished: Collection[tuple[str, UUID]]) -> None:
        """Store no job of a tick that would overlap with one of these."""
        for place in self._counting:
            tick = self._ticks[place]
            before = self._last[schedule_of(tick)].job
            if not tick.may_overlap and (tick.job.queue, before) in unfinished:
                del self.jobs[place]

    def _those_that_count(self) -> Mapping[int, Job]:
        newest = {schedule: last.at for schedule, last in self._last.items()}
        jobs: dict[int, Job] = {}
        for place, tick in enumerate(self._ticks):
            schedule = schedule_of(tick)
            if tick.at > newest[schedule]:
                newest[schedule] = tick.at
                # A copy, so that it can be told from that of another tick.
                jobs[place] = tick.job._replace()
        return jobs

    def answers(self, refused: Collection[Job]) -> list[Ticked]:
        """What came of each tick, once the jobs are stored but for the refused ones."""
        returned = {id(job) for job in refused}
        answers: list[Ticked] = []
        for place, tick in enumerate(self._ticks):
            schedule = schedule_of(tick)
            if place in self._counting:
                job = self.jobs.get(place)
                is_stored = job is not None and id(job) not in returned
                ticked = Ticked.STORED if is_stored else Ticked.REFUSED
                row = UUID(key_of(tick.job.id).id) if is_stored else None
                before = self._last[schedule].job
                self._last[schedule] = LastTick(tick.at, self._worker, ticked, row or before)
            at, worker, ticked, _ = self._last[schedule]
            # The same tick again: its answer was lost.
            is_known = (at, worker) == (tick.at, self._worker)
            answers.append(ticked if is_known else Ticked.LATE)
        return answers

    def records(self, answers: Sequence[Ticked]) -> Columns:
        """What record_ticks.sql wants from its second parameter."""
        ticked = sorted({schedule_of(self._ticks[place]) for place in self._counting})
        last = [self._last[schedule] for schedule in ticked]
        stored = [self._ticks[place] for place in self.jobs if answers[place] is Ticked.STORED]
        return (
            *columns_of(ticked),
            [each.at for each in last],
            [each.ticked.value for each in last],
            self._worker,
            [tick.schedule for tick in stored],
            *keys_of(tick.job for tick in stored),
            [each.job for each in last],
        )


def schedule_of(tick: Tick) -> Schedule:
    """What ticks."""
    return tick.job.queue, tick.schedule


def columns_of(schedules: Sequence[Schedule]) -> Columns:
    """Queues and schedules, each a column."""
    return [queue for queue, _ in schedules], [schedule for _, schedule in schedules]
