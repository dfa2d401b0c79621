"""What schedulers show and tick, each a transaction."""

from collections.abc import Sequence
from functools import partial

from atode.broker.sqlite import _schedules
from atode.broker.sqlite._defining import Defining
from atode.schedule import Entry, Fired, Tick, Ticked


class Scheduling(Defining):
    """Schedules in the file; a tick, its job and its record are one transaction."""

    async def show(self, scheduler: str, entries: Sequence[Entry], *, lifetime: float) -> None:
        command = partial(
            _schedules.show,
            clock=self._clock,
            scheduler=scheduler,
            entries=entries,
            lifetime=lifetime,
        )
        await self._writer.call(command)

    async def hide(self, scheduler: str) -> None:
        await self._writer.call(partial(_schedules.hide, scheduler=scheduler))

    async def entries(self) -> Sequence[Entry]:
        command = partial(_schedules.entries, clock=self._clock)
        return await self._writer.call(command, writes=False)

    async def tick(self, ticks: Sequence[Tick], *, worker: str) -> Sequence[Ticked]:
        command = partial(_schedules.tick, clock=self._clock, ticks=ticks, worker=worker)
        return await self._writer.call(command)

    async def last_ticks(
        self, queue: str, schedules: Sequence[str], *, first: float | None = None
    ) -> Sequence[float | None]:
        command = partial(_schedules.last_ticks, queue=queue, schedules=schedules, first=first)
        return await self._writer.call(command, writes=first is not None)

    async def fired(self, schedule: str, *, offset: int = 0, limit: int = 30) -> Sequence[Fired]:
        command = partial(_schedules.fired, schedule=schedule, offset=offset, limit=limit)
        return await self._writer.call(command, writes=False)
