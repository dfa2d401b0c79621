"""Places that only so many jobs can take at the same time (section 11: x/rate)."""

import math

from atode.broker.redis._scripts import FREE_PLACE, TAKE_PLACE
from atode.broker.redis._store import Store
from atode.broker.redis.keys import semaphore_key


class Limiting(Store):
    """asynq's semaphores, which jobs of Go programs take places in, too."""

    async def take_place(self, scope: str, holder: str, *, limit: int, until: float) -> bool:
        """Take one of `limit` places until the end of the second in which `until` is.

        That is how asynq keeps the time, and frees places whose time is over.
        """
        second = math.floor(self._clock.now())
        command = TAKE_PLACE.call((semaphore_key(scope),), limit, second, holder, math.floor(until))
        [taken] = (await self._link.call([command])).replies
        return bool(taken)

    async def free_place(self, scope: str, holder: str, *, until: float) -> bool:
        """Give back the place that was taken with this `until`."""
        second = math.floor(self._clock.now())
        command = FREE_PLACE.call((semaphore_key(scope),), second, holder, math.floor(until))
        answer = await self._link.call([command])
        # What was sent twice may have been done by the first sending.
        return bool(answer.replies[0]) or answer.resent
