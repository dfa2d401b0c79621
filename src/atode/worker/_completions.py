"""Jobs that their handlers complete in transactions of their own, and what became of those."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from atode.broker.optional import Transactional
from atode.broker.protocol import Broker
from atode.clock import Clock
from atode.context import Execution
from atode.errors import BadOption, NotHeld
from atode.events import EndingIgnored, Events, JobSucceeded, TransactionLeftOpen
from atode.job import Job, State
from atode.outcome import Settlement, Succeeded, Tally, Written, decide
from atode.retry import Retry
from atode.task import AnyTask
from atode.worker._attempt import Attempt, Cause
from atode.worker._ledger import Ledger
from atode.worker._service import Service
from atode.worker._settler import Settler

# How often to look whether a transaction has ended whose handler has.
_FIRST_LOOK = 0.005
_RAREST_LOOK = 0.5

LEFT_OPEN = 10.0
"""Seconds after the handler's end, at which a transaction that is still open is told of."""

_UNUSED = Retry(0)


class Completions(Service):
    """Finds out, once a handler has ended, whether its transaction was committed.

    If it was, the job is completed, whatever the handler did after that. If not, the
    handler's own end is settled as usual. While it is open, the job's row is locked by
    it, and an attempt to settle would hold up the settlements of other jobs: it is waited for.
    """

    name = "completions"

    def __init__(
        self, broker: Broker, ledger: Ledger, settler: Settler, clock: Clock, events: Events
    ) -> None:
        super().__init__(events)
        # Looked at once: of a protocol, that takes microseconds.
        self._broker = broker if isinstance(broker, Transactional) else None
        self._ledger = ledger
        self._settler = settler
        self._clock = clock
        self._events = events
        self._ended: dict[Attempt, Settlement] = {}
        """Attempts whose handlers have ended, and what is written unless they were completed."""
        self._doubted: set[Attempt] = set()
        """Attempts that still run, whose claims the broker does not know any more."""
        self._left_open: set[Attempt] = set()
        """Those of which it was told that their transactions are still open."""
        self._pause = _FIRST_LOOK
        self._bell = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def of(self, attempt: Attempt, task: AnyTask[..., Any]) -> Execution:
        """What this attempt's handler sees of it, and how it completes its job."""
        return _Execution(self._broker, self._clock, attempt, task)

    def ended(self, attempt: Attempt, settlement: Settlement) -> None:
        """Its handler has ended: write `settlement`, unless the transaction was committed."""
        self._ended[attempt] = settlement
        self._empty.clear()
        self._wake()

    def doubt(self, attempt: Attempt) -> None:
        """The broker does not know its claim any more: it is completed, or lost."""
        if not attempt.ended_at:
            self._doubted.add(attempt)
            self._wake()

    async def resolved(self) -> None:
        """Wait until nothing is in doubt any more of what has ended."""
        await self._empty.wait()

    async def turn(self) -> None:
        if not self._ended and not self._doubted:
            self._empty.set()
            self._bell.clear()
            self._pause = _FIRST_LOOK
            await self.idle(self._bell.wait())
            # What ends within the next turns of the event loop shares the round trip.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return
        self._bell.clear()
        await self._resolve()
        if self._ended or self._doubted:
            self._tell_of_open()
            await self.idle(self._rest())

    async def _resolve(self) -> None:
        asked = {
            attempt: attempt.written
            for attempt in (*self._ended, *self._doubted)
            if attempt.written is not None and not attempt.is_writing
        }
        if asked and self._broker is not None:
            answers = await self._broker.committed(list(asked.values()))
            for (attempt, written), answer in zip(asked.items(), answers, strict=True):
                # It may have been rolled back, and written anew since it was asked for.
                if attempt.written is written:
                    self._answered(attempt, written, answer)
        for attempt in [*self._ended]:
            if not attempt.is_writing and attempt.written is None:
                self._settle(attempt)

    def _answered(self, attempt: Attempt, written: Written, committed: bool | None) -> None:
        if committed:
            attempt.is_completed = True
            self._doubted.discard(attempt)
            if attempt in self._ended:
                self._complete(attempt, written.settlement)
        elif committed is False:
            attempt.written = None
            if attempt in self._doubted:
                self._doubted.discard(attempt)
                attempt.cancel(Cause.LOST)

    def _complete(self, attempt: Attempt, settlement: Settlement) -> None:
        ignored = self._ended.pop(attempt)
        self._left_open.discard(attempt)
        self._ledger.remove(attempt.claim)
        job = settlement.after or attempt.claim.job
        worker, seconds = attempt.claim.worker, attempt.ended_at - attempt.started_at
        self._events.publish(JobSucceeded(job, worker, seconds))
        if ignored.tally is not Tally.SUCCESS and ignored.after is not None:
            self._events.publish(EndingIgnored(job, worker, _ending(ignored.tally, ignored.after)))

    def _settle(self, attempt: Attempt) -> None:
        settlement = self._ended.pop(attempt)
        self._left_open.discard(attempt)
        if attempt.cause is Cause.LOST:
            self._settler.drop(attempt.claim)
        else:
            self._settler.add(settlement)

    def _tell_of_open(self) -> None:
        now = self._clock.now()
        for attempt in self._ended:
            open_for = now - attempt.ended_at
            if open_for > LEFT_OPEN and attempt not in self._left_open:
                self._left_open.add(attempt)
                job, worker = attempt.claim.job, attempt.claim.worker
                self._events.publish(TransactionLeftOpen(job, worker, open_for))

    async def _rest(self) -> None:
        pause, self._pause = self._pause, min(self._pause * 2, _RAREST_LOOK)
        try:
            async with asyncio.timeout(pause):
                await self._bell.wait()
        except TimeoutError:
            pass

    def _wake(self) -> None:
        self._pause = _FIRST_LOOK
        self._bell.set()


class _Execution:
    """What one handler sees of its attempt; also on a thread."""

    __slots__ = ("_attempt", "_broker", "_clock", "_task", "ends_at")

    def __init__(
        self,
        broker: Transactional | None,
        clock: Clock,
        attempt: Attempt,
        task: AnyTask[..., Any],
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._attempt = attempt
        self._task = task
        # The attempt's own comes forward if it is interrupted.
        self.ends_at = attempt.deadline

    @property
    def job(self) -> Job:
        return self._attempt.claim.job

    async def complete(self, result: object, transaction: object) -> None:
        broker = self._transactional()
        settlement = self._settlement(result)
        with self._writing():
            self._accept(await broker.settle_within(transaction, settlement))

    def complete_sync(self, result: object, transaction: object) -> None:
        broker = self._transactional()
        settlement = self._settlement(result)
        with self._writing():
            self._accept(broker.settle_within_sync(transaction, settlement))

    def _transactional(self) -> Transactional:
        if self._broker is not None:
            return self._broker
        raise BadOption(
            "jobs of this app cannot be completed in a transaction of yours: that takes an app "
            "whose URL is the PostgreSQL database or the SQLite file in which the transaction is. "
            "Return from the handler instead, and make its effect safe to repeat"
        )

    def _settlement(self, result: object) -> Settlement:
        job = self._attempt.claim.job
        kept = self._task.result.encode(result) if job.retention > 0 else b""
        return decide(self._attempt.claim, Succeeded(kept), _UNUSED, self._clock.now())

    @contextmanager
    def _writing(self) -> Generator[None]:
        """Inside the block, whoever ends the attempt sees that it is being completed."""
        # First the mark, then the look: whoever ends the attempt does it the other way round, so
        # one of the two sees the other.
        self._attempt.is_writing = True
        try:
            if self._attempt.ended_at:
                raise self._not_held("it was interrupted, or has ended")
            if self._attempt.cause is Cause.LOST:
                raise self._not_held("another worker has taken the job over")
            yield
        finally:
            self._attempt.is_writing = False

    def _accept(self, written: Written | None) -> None:
        if written is None:
            raise self._not_held(
                "it was completed before, deleted, or taken over by another worker"
            )
        self._attempt.written = written

    def _not_held(self, reason: str) -> NotHeld:
        job = self._attempt.claim.job
        return NotHeld(job.task, job.id, reason)


def _ending(tally: Tally, after: Job) -> str:
    match tally, after.state:
        case Tally.FAILURE, _:
            return after.error
        case _, State.ARCHIVED:
            return "it was cancelled"
        case _, State.PENDING:
            return "it was interrupted, for this worker stops"
        case _:
            return "it asked to run again"
