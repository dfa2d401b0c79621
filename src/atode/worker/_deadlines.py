"""Ends attempts whose time is over, with one timer for all of them."""

import asyncio
import math
from collections.abc import Callable, Iterable

from atode.clock import Clock, wait_until
from atode.events import Events
from atode.worker._attempt import Attempt, Cause
from atode.worker._ledger import Ledger
from atode.worker._service import Service

PATIENCE = 1.0
"""Seconds that an interrupted handler has for cleaning up."""


class Deadlines(Service):
    """Sleeps until the earliest deadline. Most attempts end long before, and cost nothing here.

    What still runs `PATIENCE` seconds after its interruption is given up.
    """

    name = "deadlines"

    def __init__(
        self, ledger: Ledger, clock: Clock, events: Events, give_up: Callable[[Attempt], None]
    ) -> None:
        super().__init__(events)
        self._ledger = ledger
        self._clock = clock
        self._give_up = give_up
        self._next = math.inf
        self._earlier = asyncio.Event()

    def watch(self, attempts: Iterable[Attempt]) -> None:
        """These have just begun."""
        earliest = min((attempt.deadline for attempt in attempts), default=math.inf)
        if earliest < self._next:
            self._next = earliest
            self._earlier.set()

    def bring_forward(self, attempt: Attempt) -> None:
        """This attempt was interrupted before its time: its time is over now."""
        attempt.deadline = min(attempt.deadline, self._clock.now())
        self.watch([attempt])

    async def turn(self) -> None:
        self._earlier.clear()
        await self.idle(self._sleep())
        if self._earlier.is_set():
            return
        now = self._clock.now()
        left = math.inf
        for attempt in self._ledger.attempts():
            if attempt.ended_at or attempt.cause in (Cause.LOST, Cause.STOP):
                continue
            if attempt.deadline + PATIENCE <= now:
                self._give_up(attempt)
            elif attempt.deadline <= now:
                attempt.cancel(Cause.TIMEOUT)
                left = min(left, attempt.deadline + PATIENCE)
            else:
                left = min(left, attempt.deadline)
        self._next = left

    async def _sleep(self) -> None:
        if self._next == math.inf:
            await self._earlier.wait()
        else:
            await wait_until(self._earlier, self._next, self._clock)
