"""Places that only so many jobs can take at the same time."""

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._link import Ask
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

        async def work(ask: Ask) -> bool:
            # A statement of its own: what it waits for, the next one sees.
            await ask(sql.HOLD_SCOPE, self._link.address.schema, scope)
            return bool(await ask(sql.TAKE_PLACE, *values))

        return await self._link.transact(work)

    async def free_place(self, scope: str, holder: str, *, until: float) -> bool:
        """Give back the place that was taken with this `until`; False if there is none.

        Where an answer was lost and the call repeated, that says nothing: it is True.
        """
        rows, resent = await self._link.call(sql.FREE_PLACE, self._now(), scope, holder, until)
        return resent or any(was_held for (was_held,) in rows)
