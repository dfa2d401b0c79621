"""What a scheduler has before it: schedules, how far each has come, when it fires next. Pure."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from atode.job import Job
from atode.schedule import Entry, Tick
from atode.timetable import Schedule
from atode.timing import Overlap


@dataclass(slots=True)
class Item:
    """A schedule in the hands of one scheduler. Instants are Unix seconds."""

    schedule: Schedule
    queue: str
    """Where its jobs go, as far as is known before there is one."""
    last: float
    """Ticks up to here are none of our business any more."""
    next: float = math.inf
    """Its next tick; infinite if it has none, or is paused."""
    prev: float = 0.0
    """The last tick that became a job, anybody's; 0 for none that we know of."""
    sample: Job | None = None
    """The job of the next tick, to be shown; None if it cannot be made."""

    def go_on(self, instant: float) -> None:
        """It has come up to this instant."""
        self.last = instant
        tick = self.schedule.timing.cron.after(instant) if self.schedule.enabled else None
        self.next = math.inf if tick is None else tick

    def has_tick(self, instant: float) -> bool:
        """Whether this instant is one of its ticks, and not just when it was first seen."""
        return self.schedule.timing.cron.after(instant - 1) == instant

    def due(self, now: float) -> Sequence[float]:
        """The ticks that become jobs now, ascending."""
        return self.schedule.timing.due(self.last, now)

    def tick(self, at: float, now: float) -> Tick:
        """The tick at the instant `at`; raises what making its job raises."""
        is_free = self.schedule.timing.overlap is Overlap.ALLOW
        return Tick(self.schedule.id, at, self.schedule.job(at, now), is_free)

    def entry(self) -> Entry | None:
        """What is shown of it; None if its call cannot be made."""
        if self.sample is None:
            return None
        following = 0.0 if math.isinf(self.next) else self.next
        return self.schedule.entry(self.sample, following, self.prev)


class Agenda:
    """The schedules of one scheduler, by id."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._items = {item.schedule.id: item for item in items}

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items.values())

    def get(self, schedule: str) -> Item | None:
        """The schedule of this id, or None."""
        return self._items.get(schedule)

    @property
    def next(self) -> float:
        """The next tick of all; infinite if there is none."""
        return min((item.next for item in self), default=math.inf)

    def due(self, now: float) -> Sequence[Item]:
        """Those that have fired by now, the earliest first."""
        return sorted((item for item in self if item.next <= now), key=lambda item: item.next)

    def entries(self, *, in_code: bool) -> Sequence[Entry]:
        """What is shown of those that code has defined, or the store."""
        mine = (item.entry() for item in self if item.schedule.in_code is in_code)
        return [entry for entry in mine if entry]
