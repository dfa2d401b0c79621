"""Schedules that are defined at run time."""

from collections.abc import Sequence
from functools import partial

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._bell import News
from atode.broker.postgres._link import Ask
from atode.broker.postgres._store import Store
from atode.schedule import Definition, Definitions

_NEWS = News("schedules", "")


class Defining(Store):
    """Definitions in the database; those who change them stand in line for the revision."""

    async def definitions(self, *, since: int | None = None) -> Definitions | None:
        """All definitions; None if they still have the revision `since`."""
        rows = await self._link.rows(sql.DEFINITIONS, since)
        if not rows:
            return None
        [(_, revision, _), *found] = rows
        return Definitions(revision, [Definition(*row) for row in found])

    async def define(self, schedule: str, body: str, *, version: int) -> int | None:
        """Store a definition in place of the one that has this version, and wake workers."""
        return await self._change(schedule, version, body)

    async def undefine(self, schedule: str, *, version: int) -> bool:
        """Remove the definition that has this version, and wake workers."""
        return await self._change(schedule, version, None) is not None

    async def wait_defined(self, revision: int, *, until: float) -> None:
        """Sleep until the instant `until`, or until there is another revision."""
        async with self._bell.sleeper("schedules", [""], until, self._clock) as sleeper:
            while not sleeper.is_up and await self.definitions(since=revision) is None:
                await sleeper.sleep(self._bell.looks_every)

    async def _change(self, schedule: str, version: int, body: str | None) -> int | None:
        call = self._calls.call([_NEWS])
        work = partial(self._change_on, schedule, version, body, call.words)
        changed = await self._link.transact(work)
        self._calls.told(call)
        return changed

    async def _change_on(
        self, schedule: str, version: int, body: str | None, words: Sequence[str], ask: Ask
    ) -> int | None:
        await ask(sql.HOLD_DEFINITIONS)
        # A statement of its own: it sees what those have written who were waited for.
        rows = await ask(sql.DEFINITION, schedule)
        stored, text = rows[0] if rows else (0, None)
        if stored != version:
            return int(stored) if stored and text == body else None
        if not stored and body is None:
            return None
        values = schedule, version, body, self._link.address.channel, words
        [(changed, _)] = await ask(sql.DEFINE, *values)
        return int(changed)
