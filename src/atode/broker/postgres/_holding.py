"""Keeping leases, also of jobs that somebody's open transaction has locked."""

import asyncio
from collections.abc import Sequence

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._link import TIMEOUT, Link
from atode.broker.postgres._rows import MOST_FENCES, fences_of, ticket_of
from atode.broker.postgres._store import Store
from atode.clock import Clock
from atode.errors import BrokerUnavailable
from atode.job import Claim

# Each wait takes one of the broker's connections; what more there is may lose its lease if
# its transaction is rolled back only after that has run out.
_MOST_WAITS = 3

_WAIT = 0.8 * TIMEOUT
"""Seconds for which one statement waits for a lock; the server ends it if nobody hears it."""

_GAP = 0.05
"""Seconds between two waits, so that a server that is away is not asked without end."""


class Holding(Store):
    """Extends leases without waiting for anybody.

    A handler that completes its job in a transaction of its own has locked the job's row
    until that ends. Nobody else takes the job so long. If it is rolled back after the lease
    has run out, the first who gets the row decides whose the job is; so somebody waits for it.
    """

    def __init__(self, link: Link, clock: Clock) -> None:
        super().__init__(link, clock)
        self._seen_locked: frozenset[int] = frozenset()
        """Tickets of the claims that were locked at the last extension."""
        self._waits: dict[int, asyncio.Task[None]] = {}

    async def extend(self, claims: Sequence[Claim], *, lease: float) -> Sequence[Claim]:
        """Hold claims for `lease` seconds from now, and return the lost ones."""
        lost: list[Claim] = []
        locked: set[int] = set()
        for start in range(0, len(claims), MOST_FENCES):
            some = claims[start : start + MOST_FENCES]
            rows = await self._link.rows(sql.EXTEND, self._now(), *fences_of(some), lease)
            extended = {ticket for (ticket,) in rows}
            left = [claim for claim in some if ticket_of(claim) not in extended]
            if left:
                rows = await self._link.rows(sql.HOLDING, *fences_of(left))
                held = {ticket for (ticket,) in rows}
                locked |= held
                lost += [claim for claim in left if ticket_of(claim) not in held]
        self._outlast([claim for claim in claims if ticket_of(claim) in locked], lease)
        return lost

    async def _stop_waiting(self) -> None:
        waits = list(self._waits.values())
        for wait in waits:
            wait.cancel()
        if waits:
            await asyncio.wait(waits)

    def _outlast(self, claims: Sequence[Claim], lease: float) -> None:
        # Whatever is locked once is most often a settlement, and free again by now.
        before, self._seen_locked = self._seen_locked, frozenset(map(ticket_of, claims))
        for claim in claims:
            ticket = ticket_of(claim)
            is_new = ticket in before and ticket not in self._waits
            if is_new and len(self._waits) < _MOST_WAITS:
                self._waits[ticket] = asyncio.create_task(self._wait_for(claim, lease))

    async def _wait_for(self, claim: Claim, lease: float) -> None:
        ticket = ticket_of(claim)
        values = self._now(), *fences_of([claim]), lease, str(int(_WAIT * 1000))
        is_locked = True
        try:
            # Until an extension has found it free, or it is not asked for any more.
            while is_locked and ticket in self._seen_locked:
                try:
                    await self._link.rows(sql.OUTLAST, *values)
                    is_locked = False
                except BrokerUnavailable:
                    await asyncio.sleep(_GAP)
        finally:
            self._waits.pop(ticket, None)
