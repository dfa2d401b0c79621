"""Places that only so many jobs can take at the same time."""

from functools import partial

from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._file import File
from atode.broker.sqlite._transaction import Transaction
from atode.clock import Clock


class Limiting(File):
    """Semaphores in the file, for all processes that use it."""

    async def take_place(self, scope: str, holder: str, *, limit: int, until: float) -> bool:
        command = partial(
            _acquire, clock=self._clock, scope=scope, holder=holder, limit=limit, until=until
        )
        return await self._writer.call(command)

    async def free_place(self, scope: str, holder: str, *, until: float) -> bool:
        command = partial(_release, clock=self._clock, scope=scope, holder=holder, until=until)
        return await self._writer.call(command)


def _acquire(
    tx: Transaction, clock: Clock, scope: str, holder: str, limit: int, until: float
) -> bool:
    tx.change(sql.VACATE, scope, clock.now())
    return bool(tx.change(sql.TAKE_PLACE, scope, holder, until, limit))


def _release(tx: Transaction, clock: Clock, scope: str, holder: str, until: float) -> bool:
    return bool(tx.change(sql.FREE_PLACE, scope, holder, until, clock.now()))
