"""Which ticks of a call count, and what is to be written of them; nothing here asks the store."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from atode.broker.postgres._link import Row
from atode.broker.postgres._rows import Columns, key_of
from atode.job import Job
from atode.schedule import Tick, Ticked

Schedule = tuple[str, str]
"""A queue, and what ticks in it."""


class LastTick(NamedTuple):
    """The last tick of a schedule that counted, who made it, and what came of it."""

    at: float
    worker: str
    ticked: Ticked


class Ticking:
    """One call's ticks, and the records that it holds."""

    def __init__(self, ticks: Sequence[Tick], worker: str, rows: Sequence[Row]) -> None:
        """`rows` as hold_ticks.sql returns them."""
        self._ticks = ticks
        self._worker = worker
        self._last = {
            (queue, schedule): LastTick(at, who, Ticked(ticked))
            for queue, schedule, at, who, ticked in rows
        }
        self.jobs = self._counting()
        """The jobs of the ticks that count, by their places among all."""

    def _counting(self) -> Mapping[int, Job]:
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
            if job := self.jobs.get(place):
                ticked = Ticked.REFUSED if id(job) in returned else Ticked.STORED
                self._last[schedule] = LastTick(tick.at, self._worker, ticked)
            at, worker, ticked = self._last[schedule]
            # The same tick again: its answer was lost.
            is_known = (at, worker) == (tick.at, self._worker)
            answers.append(ticked if is_known else Ticked.LATE)
        return answers

    def records(self, answers: Sequence[Ticked]) -> Columns:
        """What record_ticks.sql wants from its second parameter."""
        ticked = sorted({schedule_of(self._ticks[place]) for place in self.jobs})
        last = [self._last[schedule] for schedule in ticked]
        stored = [self._ticks[place] for place in self.jobs if answers[place] is Ticked.STORED]
        keys = [key_of(tick.job.id) for tick in stored]
        return (
            *columns_of(ticked),
            [each.at for each in last],
            [each.ticked.value for each in last],
            self._worker,
            [tick.schedule for tick in stored],
            [key.id for key in keys],
            [key.name for key in keys],
        )


def schedule_of(tick: Tick) -> Schedule:
    """What ticks."""
    return tick.job.queue, tick.schedule


def columns_of(schedules: Sequence[Schedule]) -> Columns:
    """Queues and schedules, each a column."""
    return [queue for queue, _ in schedules], [schedule for _, schedule in schedules]
