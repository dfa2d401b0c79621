"""What keeps the queues moving: due jobs, dead workers' jobs, old jobs."""

import asyncio
import math
import random
from collections.abc import Sequence

from atode.broker.protocol import Upkeep
from atode.clock import Clock
from atode.events import Events
from atode.outcome import abandoned
from atode.worker._attempt import Attempt
from atode.worker._ledger import Ledger
from atode.worker._service import Service
from atode.worker._settler import Settler

REAP_EVERY = 0.5
PRUNE_EVERY = 10.0
_REAP_AT_ONCE = 1000

# After an outage every worker's lease may have run out. The living ones extend theirs
# within this many seconds, before we take them for dead.
REAP_AFTER_OUTAGE = 3.0


class Promoter(Service):
    """Makes jobs pending at their instant: sleeps until the next one, and polls nothing."""

    name = "promoter"

    def __init__(self, broker: Upkeep, queues: Sequence[str], clock: Clock, events: Events) -> None:
        super().__init__(events)
        self._broker = broker
        self._queues = queues
        self._clock = clock

    async def turn(self) -> None:
        due = await self._broker.promote(self._queues)
        self.outage.answered()
        if due is None or due > self._clock.now():
            await self.idle(self._broker.wait_due(self._queues, until=due))


class Reaper(Service):
    """Takes over the jobs of workers that are gone, and settles them as crashed."""

    name = "reaper"

    def __init__(
        self,
        broker: Upkeep,
        queues: Sequence[str],
        ledger: Ledger,
        settler: Settler,
        clock: Clock,
        events: Events,
        *,
        lease: float,
        worker: str,
    ) -> None:
        super().__init__(events)
        self._broker = broker
        self._queues = queues
        self._ledger = ledger
        self._settler = settler
        self._clock = clock
        self._lease = lease
        self._worker = worker
        self._more = False

    async def turn(self) -> None:
        if not self._more:
            await self.idle(asyncio.sleep(self._pause()))
        if self.stopping:
            return
        claims = await self._broker.reap(
            self._queues, limit=_REAP_AT_ONCE, lease=self._lease, worker=self._worker
        )
        now = self._clock.now()
        for claim in claims:
            attempt = Attempt(claim, now, deadline=math.inf)
            attempt.ended_at = now
            self._ledger.add(attempt)
            self._settler.add(abandoned(claim, now))
        self._more = bool(claims)

    def _pause(self) -> float:
        pause = REAP_EVERY * random.uniform(0.5, 1.5)
        back = self.outage.ended_at
        if back is None:
            return pause
        return max(pause, back + REAP_AFTER_OUTAGE - asyncio.get_running_loop().time())


class Pruner(Service):
    """Deletes what has been kept for long enough."""

    name = "pruner"

    def __init__(self, broker: Upkeep, queues: Sequence[str], events: Events) -> None:
        super().__init__(events)
        self._broker = broker
        self._queues = queues

    async def turn(self) -> None:
        await self.idle(asyncio.sleep(PRUNE_EVERY * random.uniform(0.5, 1.5)))
        while not self.stopping and await self._broker.prune(self._queues):
            pass
