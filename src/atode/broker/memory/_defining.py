"""Schedules that are defined at run time."""

from atode.broker.memory._memory import Memory
from atode.schedule import Definition, Definitions


class Defining(Memory):
    """Definitions in this process."""

    async def definitions(self, *, since: int | None = None) -> Definitions | None:
        with self._store.lock:
            if since == self._store.revision:
                return None
            found = sorted(self._store.definitions.values())
            return Definitions(self._store.revision, found)

    async def define(self, schedule: str, body: str, *, version: int) -> int | None:
        with self._store.lock:
            stored = self._store.definitions.get(schedule)
            if (stored.version if stored else 0) != version:
                return stored.version if stored and stored.body == body else None
            self._store.revision += 1
            made = Definition(schedule, self._store.revision, body)
            self._store.definitions[schedule] = made
            self._store.ring()
            return made.version

    async def undefine(self, schedule: str, *, version: int) -> bool:
        with self._store.lock:
            stored = self._store.definitions.get(schedule)
            if stored is None or stored.version != version:
                return False
            self._store.revision += 1
            del self._store.definitions[schedule]
            self._store.ring()
            return True

    async def wait_defined(self, revision: int, *, until: float) -> None:
        def has_changed() -> bool:
            return self._store.revision != revision

        await self._store.changed(until, self._clock, unless=has_changed)
