"""Where time comes from: the system clock, or a fake one in tests."""

import asyncio
import time
from typing import Protocol

# The longest uninterrupted sleep: wall clocks get stepped and laptops sleep, so a
# distant instant is approached in pieces and compared with the clock each time.
_LONGEST_NAP = 30.0


class Clock(Protocol):
    """Unix time, and sleeping until one of its instants."""

    def now(self) -> float:
        """The present instant in Unix seconds, with at least millisecond precision."""
        ...

    async def sleep_until(self, instant: float) -> None:
        """Return once `now()` has reached `instant`, never before; at once if it has passed."""
        ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> float:
        return time.time()

    async def sleep_until(self, instant: float) -> None:
        # Timers of an event loop may fire a millisecond early, hence the loop.
        while (left := instant - time.time()) > 0:
            await asyncio.sleep(min(left, _LONGEST_NAP))


async def wait_until(event: asyncio.Event, instant: float, clock: Clock) -> bool:
    """Wait for `event`, but not beyond `instant`; whether the event is set on return."""
    if event.is_set() or clock.now() >= instant:
        return event.is_set()
    alarm = asyncio.ensure_future(clock.sleep_until(instant))
    ring = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((alarm, ring), return_when=asyncio.FIRST_COMPLETED)
    finally:
        alarm.cancel()
        ring.cancel()
    return event.is_set()
