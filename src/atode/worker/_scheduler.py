"""Makes jobs of ticks. Every worker does it, for all schedules: none of them leads, and the store
lets each tick count once."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Protocol

from atode.broker.protocol import Inspect
from atode.clock import Clock
from atode.definition import Unreadable, merged
from atode.errors import BrokerError, BrokerRefused
from atode.events import Events, JobEnqueued, ScheduleFailed, TickSkipped
from atode.schedule import Defines, Schedules, Tick, Ticked
from atode.timetable import Schedule, Timetable
from atode.worker._agenda import Agenda, Item
from atode.worker._service import Service

SHOW_EVERY = 5.0
"""Seconds between two showings of what runs, which are also looks at the definitions in case that
nobody told of a change."""

_SHOWN_PER_SECOND = 200
"""Entries: where there are many, they are shown more rarely."""

_SHOW_AFTER_TICK = 1.0
"""Seconds after a showing, at least, in which a tick does not lead to the next one."""

_LIVES = 3
"""For so many showings what was shown is believed."""

_TICKS_PER_CALL = 200

_WITHOUT_PAUSE = 50
"""Schedules that are begun before others on the event loop have their turn."""

_LAST_WORDS = 2.0
"""Seconds that taking back what is shown may take."""

STORED = "atode:store"
"""Under this name all schedulers show what the store defines, as all of them run it."""


Due = tuple[Item, Sequence[Tick]]
"""A schedule, and its ticks that become jobs now."""


class Scheduling(Schedules, Defines, Inspect, Protocol):
    """What a scheduler asks of a broker."""


class Scheduler(Service):
    """Sleeps until the next tick, stores its job unless somebody was faster, and shows what runs.

    Whatever it holds in memory may be old: before it ticks it asks whether definitions have
    changed, and the store knows which ticks are over. So one that was frozen does no harm.
    """

    name = "scheduler"

    def __init__(
        self,
        broker: Scheduling,
        timetable: Timetable,
        clock: Clock,
        events: Events,
        *,
        worker: str,
    ) -> None:
        super().__init__(events)
        self._broker = broker
        self._timetable = timetable
        self._clock = clock
        self._events = events
        self._worker = worker
        self._agenda = Agenda()
        self._revision: int | None = None
        self._reported: set[tuple[str, str]] = set()
        self._coded_name = ""
        self._names: set[str] = set()
        """Those under which something was shown."""
        self._shown_at = self._show_at = float("-inf")

    async def turn(self) -> None:
        revision = await self._read()
        self.outage.answered()
        await self._fire(self._clock.now())
        await self._show()
        until = min(self._agenda.next, self._show_at)
        await self.idle(self._broker.wait_defined(revision, until=until))

    async def stop(self) -> None:
        """End as every service, and show nothing any more."""
        await super().stop()
        # Where this fails, it ends by itself.
        with suppress(BrokerError, TimeoutError):
            await asyncio.wait_for(self._hide(), _LAST_WORDS)

    # What there is to run

    async def _read(self) -> int:
        """See whether definitions have changed; their revision."""
        stored = await self._broker.definitions(since=self._revision)
        if stored is None and self._revision is not None:
            return self._revision
        revision, found = stored or (0, ())
        known = merged(self._timetable, found)
        self._report(known.unreadable)
        self._agenda = await self._begin(known.schedules, self._clock.now())
        self._coded_name = _name_of(self._timetable)
        self._show_at = float("-inf")
        # Last, so that a call that fails is made again.
        self._revision = revision
        return revision

    def _report(self, unreadable: Sequence[Unreadable]) -> None:
        for schedule, error in unreadable:
            if (schedule, str(error)) not in self._reported:
                self._reported.add((schedule, str(error)))
                self._events.publish(ScheduleFailed(schedule, error))

    async def _begin(self, schedules: Sequence[Schedule], now: float) -> Agenda:
        items: list[Item] = []
        new: list[Item] = []
        for number, schedule in enumerate(schedules):
            if number % _WITHOUT_PAUSE == 0:
                await asyncio.sleep(0)
            old = self._agenda.get(schedule.id)
            if old and old.schedule.is_same(schedule):
                items.append(old)
                continue
            items.append(item := self._item(schedule, now))
            if old and old.queue == item.queue:
                item.prev = old.prev
                item.go_on(max(old.last, schedule.since))
            elif item.queue:
                new.append(item)
        await self._look_back(new, now)
        return Agenda(items)

    async def _look_back(self, items: Iterable[Item], now: float) -> None:
        """See how far schedules have come of which this scheduler knows nothing yet."""
        alike: dict[tuple[str, float | None], list[Item]] = {}
        for item in items:
            # Of what the store defines, it is known since when.
            first = None if item.schedule.since else now
            alike.setdefault((item.queue, first), []).append(item)
        for (queue, first), some in alike.items():
            ids = [item.schedule.id for item in some]
            recorded = await self._broker.last_ticks(queue, ids, first=first)
            for item, last in zip(some, recorded, strict=True):
                if last is not None and item.has_tick(last):
                    item.prev = last
                item.go_on(max(last or 0.0, item.schedule.since))

    def _item(self, schedule: Schedule, now: float) -> Item:
        item = Item(schedule, "", now)
        item.go_on(now)
        self._sample(item)
        item.queue = item.sample.queue if item.sample else ""
        return item

    def _sample(self, item: Item) -> None:
        """Make the job of the next tick, which also tells early whether it can be made."""
        tick = item.schedule.timing.cron.after(item.last)
        if tick is None:
            return
        try:
            item.sample = item.schedule.template(tick)
        except Exception as error:
            item.sample = None
            self._events.publish(ScheduleFailed(item.schedule.id, error))

    # Ticks

    async def _fire(self, now: float) -> None:
        """Store the jobs of all that is due; a queue that refuses them stops no other's."""
        refusal: BrokerRefused | None = None
        for batch in self._batches(self._agenda.due(now), now):
            try:
                await self._store(batch, now)
            except BrokerRefused as error:
                refusal = error
                for due in batch:
                    with suppress(BrokerRefused):
                        await self._store([due], now)
        if refusal:
            # Those that were refused have not gone on, and are tried again.
            raise refusal

    def _batches(self, items: Iterable[Item], now: float) -> Iterator[list[Due]]:
        batch: list[Due] = []
        size = 0
        for item in items:
            ticks = self._ticks(item, now)
            batch.append((item, ticks))
            size += len(ticks)
            if size >= _TICKS_PER_CALL:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _ticks(self, item: Item, now: float) -> Sequence[Tick]:
        ticks: list[Tick] = []
        for at in item.due(now):
            try:
                ticks.append(item.tick(at, now))
            except Exception as error:
                self._events.publish(ScheduleFailed(item.schedule.id, error))
        return ticks

    async def _store(self, batch: Sequence[Due], now: float) -> None:
        ticks = [tick for _, some in batch for tick in some]
        answers = await self._broker.tick(ticks, worker=self._worker) if ticks else ()
        came_of = dict(zip(((tick.schedule, tick.at) for tick in ticks), answers, strict=True))
        for item, some in batch:
            for tick in some:
                self._tell(item, tick, came_of[tick.schedule, tick.at])
            item.go_on(now)
            self._sample(item)
        self._show_at = min(self._show_at, self._shown_at + _SHOW_AFTER_TICK)

    def _tell(self, item: Item, tick: Tick, ticked: Ticked) -> None:
        if ticked is Ticked.REFUSED:
            self._events.publish(TickSkipped(tick.schedule, tick.at))
            return
        item.prev = tick.at
        if ticked is Ticked.STORED and self._events.wanted(JobEnqueued):
            self._events.publish(JobEnqueued(tick.job))

    # What tools see

    async def _show(self) -> None:
        now = self._clock.now()
        if now < self._show_at:
            return
        pause = max(SHOW_EVERY, len(self._agenda) / _SHOWN_PER_SECOND)
        lifetime = pause * _LIVES
        for name, in_code in ((self._coded_name, True), (STORED, False)):
            entries = self._agenda.entries(in_code=in_code)
            if entries or name in self._names:
                self._names.add(name)
                await self._broker.show(name, entries, lifetime=lifetime)
        self._shown_at, self._show_at = now, now + pause

    async def _hide(self) -> None:
        # What others show under the same names must not vanish.
        if all(each.worker == self._worker for each in await self._broker.workers()):
            for name in self._names:
                await self._broker.hide(name)


def _name_of(timetable: Timetable) -> str:
    """The same in all programs with the same schedules, for tools list each name's."""
    schedules = sorted((each.id, str(each.timing.cron)) for each in timetable)
    return f"atode:{blake2b(repr(schedules).encode(), digest_size=6).hexdigest()}"
