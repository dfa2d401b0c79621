"""Counts that all API servers share, and what is done while they are away."""

import asyncio
from contextlib import suppress

from webapp.service.outage_log import OutageLog
from webapp.service.rate_limiter import CountsDown, Rate, RateLimiter

_PAUSE_SECONDS = 1.0


class SharedRateLimiter:
    """Counts in a store that is shared, and in this process while that store is away.

    Only `watch` asks a store that is away, so no caller waits for one in vain but those whom
    the outage surprises.
    """

    def __init__(self, shared: RateLimiter, own: RateLimiter, outage: OutageLog) -> None:
        self._shared = shared
        self._own = own
        self._outage = outage
        self._is_up = True
        self._last = ("watch", Rate(1, 1))

    async def take(self, who: str, rate: Rate, cost: int = 1) -> float:
        if self._is_up:
            with suppress(CountsDown):
                return await self._ask(who, rate, cost)
        return await self._own.take(who, rate, cost)

    async def close(self) -> None:
        await self._shared.close()
        await self._own.close()

    async def watch(self) -> None:
        """Ask the store from time to time, until cancelled."""
        while True:
            # Where the last call failed: in a cluster, other callers are counted elsewhere.
            with suppress(CountsDown):
                await self._ask(*self._last, cost=0)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _ask(self, who: str, rate: Rate, cost: int) -> float:
        try:
            wait = await self._shared.take(who, rate, cost)
        except CountsDown as error:
            self._is_up, self._last = False, (who, rate)
            self._outage.lost(str(error))
            raise
        if not self._is_up and (who, rate) == self._last:
            self._is_up = True
            self._outage.back()
        return wait
