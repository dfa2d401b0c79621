"""Free slots → claims → runner."""

import asyncio
from collections.abc import Sequence

from atode.broker.protocol import Queue
from atode.events import Events
from atode.job import Claim
from atode.queues import Queues
from atode.worker._runner import Runner
from atode.worker._service import Service

# A wake-up is a hint and may get lost with a connection; a look at the queues backs it up.
LONGEST_WAIT = 5.0

# A wait that returns faster than this did not wait.
_INSTANTLY = 0.001
_LONGEST_DAMPING = 1.0


class Fetcher(Service):
    """Claims as many jobs as there are free slots in one round trip; sleeps when none are there."""

    name = "fetcher"

    def __init__(
        self,
        broker: Queue,
        runner: Runner,
        queues: Queues,
        events: Events,
        *,
        lease: float,
        worker: str,
    ) -> None:
        super().__init__(events)
        self._broker = broker
        self._runner = runner
        self._queues = queues
        self._lease = lease
        self._worker = worker
        self._false_alarms = 0

    async def turn(self) -> None:
        if self._runner.free <= 0:
            await self.idle(self._runner.slot_free())
            # Slots that are freed within the next turns of the event loop share the claim.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return
        queues = self._queues.order()
        claims = await self._broker.claim(
            queues, limit=self._runner.free, lease=self._lease, worker=self._worker
        )
        self.outage.answered()
        if not claims and self._runner.free > 0:
            claims = await self.idle(self._next(queues)) or ()
        if claims:
            self._false_alarms = 0
            # All of them, even if the worker has become smaller while the claim was under way.
            self._runner.start(claims)
            # Let the new attempts run before the next claim asks how many are left.
            await asyncio.sleep(0)

    async def _next(self, queues: Sequence[str]) -> Sequence[Claim]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        claims = await self._broker.claim_next(
            queues,
            limit=self._runner.free,
            lease=self._lease,
            worker=self._worker,
            at_most=LONGEST_WAIT,
        )
        if claims or loop.time() - began > _INSTANTLY:
            self._false_alarms = 0
            return claims
        # Told at once that there is work, though the claim before found none: another
        # worker was faster, or what is there cannot be claimed. Once is normal; again and
        # again it would be a busy loop.
        self._false_alarms += 1
        if self._false_alarms > 2:
            # Ten doublings reach the longest; a thousand do not fit a float.
            pause = _INSTANTLY * 2 ** min(self._false_alarms, 10)
            await asyncio.sleep(min(pause, _LONGEST_DAMPING))
        return ()
