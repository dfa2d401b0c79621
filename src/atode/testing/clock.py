"""A clock that stands still until a test moves it."""

import asyncio
import heapq
import itertools


class FakeClock:
    """Starts at 2030-03-17 17:46:40 UTC, and goes on only through `advance`."""

    def __init__(self, now: float = 1_900_000_000.0) -> None:
        self._now = now
        self._order = itertools.count()
        self._sleepers: list[
            tuple[float, int, asyncio.AbstractEventLoop, asyncio.Future[None]]
        ] = []

    def now(self) -> float:
        """The instant at which the clock stands, in Unix seconds."""
        return self._now

    async def sleep_until(self, instant: float) -> None:
        """Return when `advance` has moved the clock to `instant` or beyond."""
        if instant <= self._now:
            return
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        heapq.heappush(self._sleepers, (instant, next(self._order), loop, woken))
        await woken

    def advance(self, seconds: float) -> None:
        """Move on by `seconds` and wake whoever slept until then, earliest first."""
        self._now += seconds
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _, _, loop, woken = heapq.heappop(self._sleepers)
            if not loop.is_closed():
                loop.call_soon_threadsafe(_wake, woken)


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)
