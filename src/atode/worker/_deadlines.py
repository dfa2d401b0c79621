"""Ends attempts that run out of time, with one timer for all of them."""

import asyncio
import math
from collections.abc import Iterable

from atode.clock import Clock, wait_until
from atode.events import Events
from atode.worker._attempt import Attempt, Cause
from atode.worker._ledger import Ledger
from atode.worker._service import Service


class Deadlines(Service):
    """Sleeps until the earliest deadline. Most attempts end long before, and cost nothing here."""

    name = "deadlines"

    def __init__(self, ledger: Ledger, clock: Clock, events: Events) -> None:
        super().__init__(events)
        self._ledger = ledger
        self._clock = clock
        self._next = math.inf
        self._earlier = asyncio.Event()

    def watch(self, attempts: Iterable[Attempt]) -> None:
        """These have just begun."""
        earliest = min((attempt.deadline for attempt in attempts), default=math.inf)
        if earliest < self._next:
            self._next = earliest
            self._earlier.set()

    async def turn(self) -> None:
        self._earlier.clear()
        await self.idle(self._sleep())
        if self._earlier.is_set():
            return
        now = self._clock.now()
        left = math.inf
        for attempt in self._ledger.attempts():
            if attempt.deadline <= now:
                attempt.cancel(Cause.TIMEOUT)
            elif attempt.deadline < left:
                left = attempt.deadline
        self._next = left

    async def _sleep(self) -> None:
        if self._next == math.inf:
            await self._earlier.wait()
        else:
            await wait_until(self._earlier, self._next, self._clock)
