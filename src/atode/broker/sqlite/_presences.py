"""Who lives, and of what size he should be: a wish is kept beside what a worker shows."""

from functools import partial

from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._file import File
from atode.broker.sqlite._transaction import Transaction
from atode.clock import Clock
from atode.presence import Presence, presence_to_json
from atode.size import Wish


class Presences(File):
    """Workers show themselves, and hear wishes."""

    async def beat(self, presence: Presence, *, lifetime: float) -> Wish | None:
        command = partial(_beat, clock=self._clock, presence=presence, lifetime=lifetime)
        return await self._writer.call(command)

    async def leave(self, presence: Presence) -> None:
        await self._writer.call(partial(_leave, presence=presence))

    async def resize(self, worker: str, wish: Wish) -> bool:
        return await self._writer.call(
            partial(_resize, clock=self._clock, worker=worker, wish=wish)
        )


def _beat(tx: Transaction, clock: Clock, presence: Presence, lifetime: float) -> Wish | None:
    """Show a worker as living, and forget those who are not."""
    now = clock.now()
    tx.change(sql.BURY, now)
    tx.change(sql.BEAT, presence.worker, now + lifetime, presence_to_json(presence))
    [wish] = tx.row(sql.WISH, presence.worker)
    return Wish.from_json(wish)


def _leave(tx: Transaction, presence: Presence) -> None:
    tx.change(sql.LEAVE, presence.worker)


def _resize(tx: Transaction, clock: Clock, worker: str, wish: Wish) -> bool:
    return bool(tx.change(sql.RESIZE, worker, clock.now(), wish.to_json()))
