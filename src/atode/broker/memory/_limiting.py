"""Places that only so many jobs can take at the same time."""

from atode.broker.memory._memory import Memory


class Limiting(Memory):
    """Semaphores in this process."""

    async def take_place(self, scope: str, holder: str, *, limit: int, until: float) -> bool:
        now = self._clock.now()
        with self._store.lock:
            taken = self._store.places.setdefault(scope, {})
            for other in [other for other, end in taken.items() if end <= now]:
                del taken[other]
            if holder not in taken and len(taken) >= limit:
                return False
            taken[holder] = until
        return True

    async def free_place(self, scope: str, holder: str, *, until: float) -> bool:
        with self._store.lock:
            taken = self._store.places.get(scope, {})
            if taken.get(holder) != until:
                return False
            del taken[holder]
            return until > self._clock.now()
