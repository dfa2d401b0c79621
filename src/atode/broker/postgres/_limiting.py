"""Places that only so many jobs can take at the same time."""

from functools import partial

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._link import Connection
from atode.broker.postgres._store import Store


class Limiting(Store):
    """Semaphores in the database, for all programs that use its schema."""

    async def take_place(self, scope: str, holder: str, *, limit: int, until: float) -> bool:
        """Take one of `limit` places in a scope until the instant `until`; whether there was one.

        The time that is left until then is measured by the database's clock.
        """
        # Clocks of machines differ: a place that another one took must not end too early.
        left = until - self._clock.now()
        values = (self._now(), scope, holder, until, left, limit)
        return await self._link.transact(partial(self._take_place, scope, values))

    async def free_place(self, scope: str, holder: str, *, until: float) -> bool:
        """Give back the place that was taken with this `until`; False if there is none.

        Where an answer was lost and the call repeated, that says nothing: it is True.
        """
        rows, resent = await self._link.call(sql.FREE_PLACE, self._now(), scope, holder, until)
        return resent or any(was_held for (was_held,) in rows)

    async def _take_place(
        self, scope: str, values: tuple[object, ...], connection: Connection
    ) -> bool:
        # A statement of its own: what it waits for, the next one sees.
        await connection.fetch(self._link.text(sql.HOLD_SCOPE), self._link.address.schema, scope)
        return bool(await connection.fetch(self._link.text(sql.TAKE_PLACE), *values))
