"""What schedulers show and tick; a tick, its job and its record are one transaction."""

from collections.abc import Mapping, Sequence
from functools import partial

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._defining import Defining
from atode.broker.postgres._enqueue import Delivery, new_batch, news_of, storing, walked
from atode.broker.postgres._link import Ask
from atode.broker.postgres._rows import id_of
from atode.broker.postgres._ticks import Ticking, columns_of, schedule_of
from atode.broker.protocol import Refused
from atode.schedule import (
    HISTORY_AGE,
    HISTORY_SIZE,
    Entry,
    Fired,
    Tick,
    Ticked,
    distinct,
    entries_from_json,
    entries_to_json,
)

_MOST_PRUNED = 1000


class Scheduling(Defining):
    """Schedules in the database."""

    async def show(self, scheduler: str, entries: Sequence[Entry], *, lifetime: float) -> None:
        """Show what a scheduler runs for `lifetime` seconds, and forget the silent ones."""
        await self._link.rows(sql.BURY_SCHEDULERS, self._now())
        values = scheduler, lifetime, entries_to_json(entries)
        await self._link.rows(sql.SHOW, self._now(), *values)

    async def hide(self, scheduler: str) -> None:
        """Show nothing more of a scheduler."""
        await self._link.rows(sql.HIDE, scheduler)

    async def entries(self) -> Sequence[Entry]:
        """What living schedulers run, each schedule once, those that fire next first."""
        rows = await self._link.rows(sql.SCHEDULERS, self._now())
        return distinct(entry for (body,) in rows for entry in entries_from_json(body))

    async def tick(self, ticks: Sequence[Tick], *, worker: str) -> Sequence[Ticked]:
        """Store the jobs of those ticks that count, and wake workers; what came of each."""
        came_of: list[Ticked] = []
        for some in _trips(ticks):
            came_of += await self._tick(some, worker)
        return came_of

    async def _tick(self, ticks: Sequence[Tick], worker: str) -> Sequence[Ticked]:
        call = self._calls.call(news_of([tick.job for tick in ticks]))
        channel = self._link.address.channel
        delivery = Delivery([], self._now(), new_batch(), channel, call.words)
        came_of = await self._link.transact(partial(self._tick_on, delivery, ticks, worker))
        self._calls.told(call)
        return came_of

    async def last_ticks(
        self, queue: str, schedules: Sequence[str], *, first: float | None = None
    ) -> Sequence[float | None]:
        """The last tick of each schedule, or None."""
        if first is not None:
            values = queue, list(schedules), first, Ticked.LATE.value
            await self._link.rows(sql.FIRST_TICKS, *values)
        rows = await self._link.rows(sql.LAST_TICKS, queue, list(schedules))
        found: Mapping[str, float] = {row[0]: row[1] for row in rows}
        return [found.get(schedule) for schedule in schedules]

    async def fired(self, schedule: str, *, offset: int = 0, limit: int = 30) -> Sequence[Fired]:
        """The jobs that a schedule became, newest first."""
        rows = await self._link.rows(sql.FIRED, schedule, max(limit, 0), offset)
        return [Fired(id_of(job_id, name), at) for job_id, name, at in rows]

    async def _tick_on(
        self, delivery: Delivery, ticks: Sequence[Tick], worker: str, ask: Ask
    ) -> list[Ticked]:
        held = sorted({schedule_of(tick) for tick in ticks})
        ticking = Ticking(ticks, worker, await ask(sql.HOLD_TICKS, *columns_of(held)))
        if not ticking.jobs:
            return ticking.answers([])
        earlier = ticking.earlier()
        if any(earlier):
            # A statement of its own, as it has to see what those have stored who were waited for.
            rows = await ask(sql.UNFINISHED, *earlier)
            ticking.keep_apart({(queue, row) for queue, row in rows})
        refused: Sequence[Refused] = []
        if jobs := list(ticking.jobs.values()):
            refused = await walked(storing(delivery._replace(jobs=jobs)), ask)
        answers = ticking.answers([job for job, _ in refused])
        await ask(sql.RECORD_TICKS, delivery.now, *ticking.records(answers))
        schedules = list({tick.schedule for tick in ticks})
        kept = HISTORY_SIZE, HISTORY_AGE
        await ask(sql.PRUNE_FIRED, delivery.now, schedules, *kept, _MOST_PRUNED)
        return answers


def _trips(ticks: Sequence[Tick]) -> Sequence[Sequence[Tick]]:
    """Ticks that go together: of a schedule whose jobs may not overlap one at most."""
    trips: list[list[Tick]] = []
    apart: set[tuple[str, str]] = set()
    for tick in ticks:
        if not trips or schedule_of(tick) in apart:
            trips.append([])
            apart.clear()
        trips[-1].append(tick)
        if not tick.may_overlap:
            apart.add(schedule_of(tick))
    return trips
