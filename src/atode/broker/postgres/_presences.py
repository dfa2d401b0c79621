"""Who lives, and of what size he should be: a wish is kept beside what a worker shows."""

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._store import Store
from atode.presence import Presence, presence_to_json
from atode.size import Wish


class Presences(Store):
    """Workers show themselves, and hear wishes."""

    async def beat(self, presence: Presence, *, lifetime: float) -> Wish | None:
        """Show this worker as living for `lifetime` seconds, and forget the silent ones."""
        await self._link.rows(sql.BURY, self._now())
        values = presence.worker, lifetime, presence_to_json(presence)
        [[wish]] = await self._link.rows(sql.BEAT, self._now(), *values)
        return Wish.from_json(wish)

    async def leave(self, presence: Presence) -> None:
        """Remove this worker's presence."""
        await self._link.rows(sql.LEAVE, presence.worker)

    async def resize(self, worker: str, wish: Wish) -> bool:
        """Wish that a worker be of another size; False if no worker of this id lives."""
        return bool(await self._link.rows(sql.RESIZE, self._now(), worker, wish.to_json()))
