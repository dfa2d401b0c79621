"""What keeps queues moving: due jobs, dead workers' jobs, old jobs."""

import math
import time
from collections.abc import Sequence

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._bell import News
from atode.broker.postgres._cancelling import Cancelling
from atode.broker.postgres._link import Link
from atode.broker.postgres._marks import Marks
from atode.broker.postgres._operations import MOST_AT_ONCE
from atode.broker.postgres._rows import claim_of
from atode.clock import Clock
from atode.job import ARCHIVE_AGE, ARCHIVE_SIZE, Claim

_MOST_TALLIES = 10_000
_LONG = 60.0

# What is stored with an instant in the near past, by a clock that is late, is still found by
# looks from a mark.
_SLACK = 5.0


class Maintenance(Cancelling):
    """Upkeep of a database; every worker does it, together with all others."""

    def __init__(self, link: Link, clock: Clock) -> None:
        super().__init__(link, clock)
        self._dues = Marks()
        self._leases = Marks()
        self._ahead = 0.0
        """How far our clock is ahead of the database's."""
        self._saw_all = True
        """Whether the last promotion looked from the beginning."""

    async def promote(self, queues: Sequence[str]) -> float | None:
        """Make pending what is due, oldest due first, and wake workers.

        Returns the next instant at which something may be due, by our clock.
        """
        # First, so that nothing that is stored from now on can be missed by `wait_due`.
        await self._bell.hang()
        self._bell.forget_due(queues)
        whole = self._saw_all = self._dues.may_look_whole()
        began = time.monotonic()
        due = await self._next_due(queues, whole=whole)
        if whole:
            self._dues.looked_whole(time.monotonic() - began)
        ready = [queue for queue, (instant, now) in due.items() if instant <= now]
        for queue in ready:
            [mark] = self._dues.places([queue], whole=whole)
            news = [News("pending", queue)]
            await self._telling(news, sql.PROMOTE, self._now(), queue, mark, MOST_AT_ONCE)
        if ready:
            due |= await self._next_due(ready, whole=whole)
        for queue, (instant, now) in due.items():
            self._dues.taken(queue, min(instant, now) - _SLACK)
        earliest = min((instant for instant, _ in due.values()), default=math.inf)
        return None if math.isinf(earliest) else earliest + self._ahead

    async def wait_due(self, queues: Sequence[str], *, until: float | None) -> None:
        """Sleep until the instant `until` (None: for long), or until told of an earlier job."""
        instant = self._clock.now() + _LONG if until is None else until
        before = math.inf if until is None else until - self._ahead
        async with self._bell.sleeper(
            "due", queues, instant, self._clock, before=before
        ) as sleeper:
            look = self._bell.looks_every
            if not self._saw_all:
                look = min(look, max(self._dues.whole_look_in(), 0.001))
            await sleeper.sleep(look)

    async def reap(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str
    ) -> Sequence[Claim]:
        """Take over jobs whose lease has run out."""
        claims: list[Claim] = []
        for queue in queues:
            if len(claims) < limit:
                claims += await self._reap(queue, limit - len(claims), lease, worker)
        return claims

    async def prune(self, queues: Sequence[str]) -> int:
        """Delete what is completed and kept long enough, archived jobs beyond age or number,
        and locks that have ended."""
        gone = 0
        now = self._now()
        for queue in queues:
            for statement, *values in (
                (sql.PRUNE_COMPLETED, now, queue, MOST_AT_ONCE),
                (sql.PRUNE_OLD, now, queue, MOST_AT_ONCE, ARCHIVE_AGE),
                (sql.PRUNE_SURPLUS, queue, MOST_AT_ONCE, ARCHIVE_SIZE),
            ):
                gone += await self._in_turns(statement, values)
            await self._in_turns(sql.PRUNE_LOCKS, (now, queue, MOST_AT_ONCE))
            await self._link.rows(sql.FOLD_TALLIES, queue, _MOST_TALLIES)
        return gone

    async def _next_due(
        self, queues: Sequence[str], *, whole: bool
    ) -> dict[str, tuple[float, float]]:
        """Per queue, when the next job is due, and the present, both by the database's clock."""
        marks = self._dues.places(queues, whole=whole)
        rows = await self._link.rows(sql.NEXT_DUE, self._now(), list(queues), marks)
        due: dict[str, tuple[float, float]] = {}
        for now, queue, instant in rows:
            self._ahead = self._clock.now() - now
            due[queue] = (math.inf if instant is None else instant), now
        return due

    async def _reap(self, queue: str, limit: int, lease: float, worker: str) -> list[Claim]:
        until = self._clock.now() + lease
        whole = self._leases.may_look_whole()
        began = time.monotonic()
        [mark] = self._leases.places([queue], whole=whole)
        some = min(limit, MOST_AT_ONCE)
        rows = await self._link.rows(sql.REAP, self._now(), queue, mark, some, lease, worker)
        if whole:
            self._leases.looked_whole(time.monotonic() - began)
        if len(rows) < some:
            self._leases.taken(queue, self._clock.now() - self._ahead - _SLACK)
        return [claim_of(row, worker, until) for row in sorted(rows, key=lambda row: row[0])]

    async def _in_turns(self, statement: str, values: Sequence[object]) -> int:
        gone = 0
        some = MOST_AT_ONCE
        while some == MOST_AT_ONCE:
            some = len(await self._link.rows(statement, *values))
            gone += some
        return gone
