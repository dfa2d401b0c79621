"""Who lives, and of what size he should be."""

from atode.broker.memory._memory import Memory
from atode.presence import Presence
from atode.size import Wish


class Presences(Memory):
    """Who lives in this process, and of what size he should be."""

    async def beat(self, presence: Presence, *, lifetime: float) -> Wish | None:
        with self._store.lock:
            self._store.presences[presence.worker] = (presence, self._clock.now() + lifetime)
            return self._store.wishes.get(presence.worker)

    async def leave(self, presence: Presence) -> None:
        with self._store.lock:
            self._store.presences.pop(presence.worker, None)
            self._store.wishes.pop(presence.worker, None)

    async def resize(self, worker: str, wish: Wish) -> bool:
        with self._store.lock:
            _, until = self._store.presences.get(worker, (None, 0.0))
            if until <= self._clock.now():
                return False
            self._store.wishes[worker] = wish
        return True
