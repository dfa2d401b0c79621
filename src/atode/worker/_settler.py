"""Writes how attempts ended, in batches, through outages."""

import asyncio
from collections.abc import Sequence

from atode.broker.protocol import Queue
from atode.errors import BrokerUnavailable
from atode.events import (
    ClaimLost,
    Event,
    Events,
    JobArchived,
    JobCancelled,
    JobReleased,
    JobRetrying,
    JobSnoozed,
    JobSucceeded,
    ServiceFailed,
)
from atode.job import Claim, State
from atode.outcome import Settlement, Tally
from atode.worker._attempt import Attempt
from atode.worker._ledger import Ledger
from atode.worker._service import Service

# Settlements in one round trip: a backlog after an outage must not block a store for long.
MOST_AT_ONCE = 1000


class Settler(Service):
    """While one batch is being written, the next piles up; an idle settler writes at once."""

    name = "settler"

    def __init__(self, broker: Queue, ledger: Ledger, events: Events) -> None:
        super().__init__(events)
        self._broker = broker
        self._ledger = ledger
        self._events = events
        self._waiting: list[Settlement] = []
        self._bell = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def add(self, settlement: Settlement) -> None:
        """Have this written as soon as possible; until then its claim is kept alive."""
        if not self._waiting:
            self._bell.set()
            self._empty.clear()
        self._waiting.append(settlement)

    def drop(self, claim: Claim) -> None:
        """This claim is lost; there is nothing to write."""
        if self._ledger.remove(claim):
            self._events.publish(ClaimLost(claim.job, claim.worker))

    async def flushed(self) -> None:
        """Wait until everything added so far is written."""
        await self._empty.wait()

    async def turn(self) -> None:
        if not self._waiting:
            self._empty.set()
            self._bell.clear()
            await self.idle(self._bell.wait())
            # What ends within the next turns of the event loop shares the round trip.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return
        batch = self._waiting[:MOST_AT_ONCE]
        refused = await self._written(batch)
        del self._waiting[: len(batch)]
        self._report(batch, refused)

    async def _written(self, batch: Sequence[Settlement]) -> Sequence[Settlement]:
        try:
            return await self._broker.settle(batch)
        except BrokerUnavailable:
            raise
        except Exception as error:
            # Something in the batch cannot be written: the broker refuses it, or trips over
            # it. Find out what, so that it does not hold up the rest; it stays active, and
            # goes back when its lease runs out.
            if len(batch) == 1:
                self._events.publish(ServiceFailed(self.name, error))
                return batch
            half = len(batch) // 2
            return [*await self._written(batch[:half]), *await self._written(batch[half:])]

    def _report(self, batch: Sequence[Settlement], refused: Sequence[Settlement]) -> None:
        lost = {id(settlement) for settlement in refused}
        # Most endings are successes, and most often nobody listens to those.
        hears_successes = self._events.wanted(JobSucceeded)
        hears_others = any(self._events.wanted(kind) for kind in _OTHER_ENDINGS)
        successes: list[JobSucceeded] = []
        for settlement in batch:
            claim = settlement.claim
            attempt = self._ledger.remove(claim)
            if lost and id(settlement) in lost:
                self._events.publish(ClaimLost(claim.job, claim.worker))
            elif settlement.tally is Tally.SUCCESS:
                if hears_successes:
                    job = settlement.after or claim.job
                    successes.append(JobSucceeded(job, claim.worker, _seconds(attempt)))
            elif hears_others:
                self._events.publish(_ending(settlement, attempt))
        self._events.publish_all(successes)


_OTHER_ENDINGS = (JobRetrying, JobArchived, JobCancelled, JobSnoozed, JobReleased)


def _ending(settlement: Settlement, attempt: Attempt | None) -> Event:
    worker = settlement.claim.worker
    job = settlement.after or settlement.claim.job
    seconds = _seconds(attempt)
    match settlement.tally, job.state:
        case Tally.FAILURE, State.ARCHIVED:
            return JobArchived(job, worker, seconds)
        case Tally.FAILURE, _:
            return JobRetrying(job, worker, seconds)
        case _, State.ARCHIVED:
            return JobCancelled(job, worker, seconds)
        case _, State.PENDING:
            return JobReleased(job, worker)
        case _:
            return JobSnoozed(job, worker)


def _seconds(attempt: Attempt | None) -> float:
    # The ledger may have lost it to a claim of our own that came later.
    return attempt.ended_at - attempt.started_at if attempt else 0.0
