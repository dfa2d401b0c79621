"""Hears that running jobs were cancelled, and has their handlers interrupted."""

import asyncio
from collections.abc import Sequence

from atode.broker.protocol import Cancellation, Cancelling
from atode.events import Events
from atode.worker._attempt import Attempt, Cause
from atode.worker._ledger import Ledger
from atode.worker._runner import Runner
from atode.worker._service import Service

# News is a hint and may get lost with a connection; a look at the marks of all jobs that run
# here backs it up.
LOOK_EVERY = 5.0

# News of a job that does not run here: it may be in a claim that is just coming in.
LOOK_AFTER_UNKNOWN = 0.5


class Canceller(Service):
    """Sleeps until it is told of a cancellation, and asks the broker whether it is true."""

    name = "canceller"

    def __init__(
        self,
        broker: Cancelling,
        queues: Sequence[str],
        ledger: Ledger,
        runner: Runner,
        events: Events,
        *,
        worker: str,
    ) -> None:
        super().__init__(events)
        self._broker = broker
        self._queues = queues
        self._ledger = ledger
        self._runner = runner
        self._worker = worker
        self._next_look = 0.0
        self._news: Sequence[Cancellation] = ()

    async def turn(self) -> None:
        now = asyncio.get_running_loop().time()
        await self.idle(self._listen(max(0.0, self._next_look - now)))
        if self.stopping:
            return
        news, self._news = self._news, ()
        suspects = self._suspects(news)
        if not news or now >= self._next_look:
            suspects = self._ledger.running()
            self._next_look = asyncio.get_running_loop().time() + LOOK_EVERY
        await self._interrupt_marked(suspects)

    async def _listen(self, at_most: float) -> None:
        self._news = await self._broker.cancellations(
            self._queues, worker=self._worker, at_most=at_most
        )
        self.outage.answered()

    def _suspects(self, news: Sequence[Cancellation]) -> Sequence[Attempt]:
        """Those that may be marked; attempts that Go's tools cancelled are interrupted at once."""
        found: list[Attempt] = []
        for job_id, queue in news:
            attempts = self._ledger.named(job_id, queue)
            if not queue:
                for attempt in attempts:
                    self._runner.cancel(attempt, Cause.CANCEL_ATTEMPT)
            elif attempts:
                found += attempts
            else:
                soon = asyncio.get_running_loop().time() + LOOK_AFTER_UNKNOWN
                self._next_look = min(self._next_look, soon)
        return found

    async def _interrupt_marked(self, suspects: Sequence[Attempt]) -> None:
        if not suspects:
            return
        # Until the broker has answered, news would be lost with an error.
        next_look, self._next_look = self._next_look, 0.0
        # The ids alone do not tell: a later job may have the id of one that was cancelled.
        marked = await self._broker.marked([attempt.claim for attempt in suspects])
        self._next_look = next_look
        for attempt in self._ledger.find(marked):
            self._runner.cancel(attempt, Cause.CANCEL)
