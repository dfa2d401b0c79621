"""Moving queues from this file to another store, or from another store to this file."""

from collections.abc import Sequence
from functools import partial

from atode.broker.sqlite import _moves
from atode.broker.sqlite._cancelling import Cancelling
from atode.job import State
from atode.transfer import Arrival, Departure, Moved, Stamp


class Moving(Cancelling):
    """Each turn of a mover is one transaction."""

    async def start_giving(self, queue: str, *, mover: str) -> Departure:
        return await self._writer.call(partial(_moves.start_giving, queue=queue, mover=mover))

    async def give(
        self, queue: str, state: State, *, mover: str, offset: int = 0, limit: int = 500
    ) -> Sequence[Moved]:
        command = partial(
            _moves.give,
            clock=self._clock,
            queue=queue,
            state=state,
            mover=mover,
            offset=offset,
            limit=limit,
        )
        return await self._writer.call(command, writes=False)

    async def given(self, queue: str, ids: Sequence[str], *, stamp: Stamp) -> Sequence[str]:
        command = partial(_moves.given, clock=self._clock, queue=queue, ids=ids, stamp=stamp)
        return await self._writer.call(command)

    async def start_receiving(
        self, queue: str, *, mover: str, given: Stamp | None, paused: bool
    ) -> None:
        command = partial(
            _moves.start_receiving, queue=queue, mover=mover, given=given, paused=paused
        )
        await self._writer.call(command)

    async def receive(self, queue: str, jobs: Sequence[Moved], *, stamp: Stamp) -> Arrival:
        command = partial(_moves.receive, clock=self._clock, queue=queue, jobs=jobs, stamp=stamp)
        return await self._writer.call(command)

    async def finish_moving(self, queue: str, *, mover: str) -> None:
        await self._writer.call(partial(_moves.finish, queue=queue, mover=mover))
