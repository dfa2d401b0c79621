"""Runs attempts: each claim in a slot and an asyncio task of its own."""

import asyncio
import inspect
import math
import traceback
from collections.abc import Sequence
from typing import Any

from atode.clock import Clock
from atode.context import execution
from atode.errors import BadPayload, BadTask, PayloadTooLarge, Snooze, UnknownTask
from atode.events import Events, HandlerStuck, JobStarted, ServiceFailed
from atode.job import Claim, Job
from atode.outcome import (
    Cancelled,
    Failed,
    Outcome,
    Released,
    Settlement,
    Snoozed,
    Succeeded,
    decide,
)
from atode.registry import Registry
from atode.retry import Retry
from atode.task import AnyTask
from atode.worker._attempt import Attempt, Cause
from atode.worker._completions import Completions
from atode.worker._deadlines import PATIENCE, Deadlines
from atode.worker._ledger import Ledger
from atode.worker._settler import Settler
from atode.worker._threads import Threads

_SUCCEEDED = Succeeded()
_NO_TASK = Retry(0)
# For a task whose own policy raises.
_STANDARD = Retry()
_SHOWN_FRAMES = 8

# A handler that was interrupted for one of these and returns all the same did not succeed.
_TOO_LATE = frozenset({Cause.TIMEOUT, Cause.CANCEL, Cause.CANCEL_ATTEMPT})


class Runner:
    """`concurrency` slots. An attempt keeps its slot until its handler has really returned."""

    def __init__(
        self,
        registry: Registry,
        ledger: Ledger,
        settler: Settler,
        completions: Completions,
        clock: Clock,
        events: Events,
        *,
        concurrency: int,
    ) -> None:
        self._registry = registry
        self._ledger = ledger
        self._settler = settler
        self._completions = completions
        self.deadlines = Deadlines(ledger, clock, events, self._give_up)
        """The service that ends attempts in time."""
        self._clock = clock
        self._events = events
        self._threads = Threads(concurrency)
        self.free = concurrency
        """Slots that nothing runs in; below zero while more runs than there are slots."""
        self.concurrency = concurrency
        """How many slots there are."""
        self._freed = asyncio.Event()

    @property
    def busy(self) -> int:
        """Handlers that run."""
        return self.concurrency - self.free

    def resize(self, concurrency: int) -> None:
        """Have another number of slots; what runs goes on, though it be more than that."""
        self.free += concurrency - self.concurrency
        self.concurrency = concurrency
        self._threads.resize(concurrency)
        self._freed.set()

    async def slot_free(self) -> None:
        """Wait until a slot is free; at once if one is."""
        # Looked at here and not only by the caller: between its look and our first step
        # the last busy slot may become free, and no other would ever wake us.
        while self.free <= 0:
            self._freed.clear()
            await self._freed.wait()

    async def drained(self) -> None:
        """Wait until no handler runs."""
        while self.busy:
            self._freed.clear()
            await self._freed.wait()

    def start(self, claims: Sequence[Claim]) -> None:
        """Run each of these, whether there are as many free slots or not."""
        now = self._clock.now()
        create_task = asyncio.get_running_loop().create_task
        attempts = [Attempt(claim, now, _deadline(claim.job, now)) for claim in claims]
        self.free -= len(attempts)
        for attempt in attempts:
            self._ledger.add(attempt)
            attempt.task = create_task(self._run(attempt))
        self.deadlines.watch(attempts)
        if self._events.wanted(JobStarted):
            self._events.publish_all([JobStarted(claim.job, claim.worker) for claim in claims])

    async def release(self) -> int:
        """Interrupt what still runs and hand it back; how many attempts that were."""
        running = self._ledger.running()
        tasks = [attempt.task for attempt in running if attempt.task]
        for attempt in running:
            attempt.cancel(Cause.STOP)
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE)
        for attempt in running:
            if not attempt.ended_at:
                self._give_up(attempt)
        return len(running)

    def cancel(self, attempt: Attempt, cause: Cause) -> None:
        """Somebody cancelled it: interrupt its handler; if that does not listen, give it up."""
        if not attempt.ended_at and attempt.cause is None:
            attempt.cancel(cause)
            self.deadlines.bring_forward(attempt)

    def lose(self, claims: Sequence[Claim]) -> None:
        """These claims are someone else's now: interrupt their handlers, settle nothing."""
        for attempt in self._ledger.find(claims):
            if attempt.written is None:
                attempt.cancel(Cause.LOST)
            else:
                self._completions.doubt(attempt)

    def close(self) -> None:
        """No attempt will be started any more."""
        self._threads.close()

    async def _run(self, attempt: Attempt) -> None:
        claim = attempt.claim
        attempt.has_begun = True
        if claim.cancelled:
            self._end(attempt, Cancelled(), _NO_TASK)
            return
        try:
            if claim.problem:
                raise BadPayload(claim.problem)
            task = self._registry[claim.job.task]
            policy = task.defaults.retry
        except (BadPayload, UnknownTask, BadTask) as error:
            self._end(attempt, Failed(str(error), permanent=True), _NO_TASK)
            return
        run = self._surrounded if self._events.layers else self._outcome
        # It may have been interrupted before it began.
        outcome = _interrupted(attempt) if attempt.cause else await run(attempt, task, policy)
        self._end(attempt, outcome, policy)

    async def _surrounded(
        self, attempt: Attempt, task: AnyTask[..., Any], policy: Retry
    ) -> Outcome:
        outcome: Outcome | None = None
        try:
            with self._events.layers.attempting(attempt.claim.job) as tell:
                outcome = await self._outcome(attempt, task, policy)
                tell(outcome)
        except Exception as error:
            # Not the handler's: that is an outcome by now, or has yet to run.
            self._events.publish(ServiceFailed("middleware", error))
        # Not by its truth: an outcome without fields is an empty tuple.
        return await self._outcome(attempt, task, policy) if outcome is None else outcome

    async def _outcome(self, attempt: Attempt, task: AnyTask[..., Any], policy: Retry) -> Outcome:
        job = attempt.claim.job
        try:
            arguments = task.decode(job)
            if attempt.deadline <= attempt.started_at:
                return Failed("the job's deadline passed before it could start", permanent=True)
            execution.set(self._completions.of(attempt, task))
            if task.is_async:
                value = await task.function(**arguments)
            else:
                value = await self._in_thread(attempt, task, arguments)
                if inspect.iscoroutine(value):
                    # An ordinary function around an async one, as decorators make them.
                    value = await value
            if attempt.cause in _TOO_LATE:
                return _interrupted(attempt)
            return Succeeded(task.result.encode(value)) if job.retention > 0 else _SUCCEEDED
        except asyncio.CancelledError:
            return _interrupted(attempt)
        except Snooze as snooze:
            return Snoozed(snooze.delay)
        except (BadPayload, PayloadTooLarge) as error:
            # Neither arguments nor result get better by running the job again.
            return Failed(str(error), permanent=True)
        except BaseException as error:
            # SystemExit and its like, too: a handler ends its attempt, never the worker.
            if attempt.cause is not None:
                # Some libraries turn a cancellation into an error of their own.
                return _interrupted(attempt)
            return Failed(_text(error), permanent=policy.is_permanent(error))

    async def _in_thread(
        self, attempt: Attempt, task: AnyTask[..., Any], arguments: dict[str, Any]
    ) -> Any:
        answer = self._threads.run(task.function, arguments)
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            if not answer.done():
                # The thread goes on, so its slot stays taken until it returns.
                self.free -= 1
                answer.add_done_callback(self._thread_returned)
                self._events.publish(HandlerStuck(attempt.claim.job, attempt.claim.worker))
            raise

    def _thread_returned(self, answer: asyncio.Future[Any]) -> None:
        # Asking for the exception keeps asyncio from complaining that nobody did.
        _ = answer.cancelled() or answer.exception()
        self._free_slot()

    def _end(self, attempt: Attempt, outcome: Outcome, policy: Retry) -> None:
        self._free_slot()
        # The asyncio task's context knows the attempt: only a search for garbage would find them.
        attempt.task = None
        # What was given up is settled; whatever it did or returned since then does not count.
        if not attempt.ended_at:
            self._settle(attempt, outcome, policy)

    def _give_up(self, attempt: Attempt) -> None:
        """It was interrupted and does not listen: settle without it. Its slot stays taken."""
        job = attempt.claim.job
        attempt.cause = attempt.cause or Cause.TIMEOUT
        policy = self._registry[job.task].defaults.retry
        self._settle(attempt, _interrupted(attempt), policy)
        self._events.publish(HandlerStuck(job, attempt.claim.worker))

    def _settle(self, attempt: Attempt, outcome: Outcome, policy: Retry) -> None:
        attempt.ended_at = now = self._clock.now()
        if attempt.is_writing or attempt.written is not None:
            self._completions.ended(attempt, self._decided(attempt.claim, outcome, policy, now))
        elif attempt.cause is Cause.LOST:
            self._settler.drop(attempt.claim)
        else:
            self._settler.add(self._decided(attempt.claim, outcome, policy, now))

    def _decided(self, claim: Claim, outcome: Outcome, policy: Retry, now: float) -> Settlement:
        try:
            return decide(claim, outcome, policy, now)
        except Exception as error:
            # The policy's curve is the user's code. Its mistake must not cost the job a retry.
            self._events.publish(ServiceFailed(f"retry curve of task {claim.job.task!r}", error))
            return decide(claim, outcome, _STANDARD, now)

    def _free_slot(self) -> None:
        self.free += 1
        self._freed.set()


def _deadline(job: Job, now: float) -> float:
    timeout = now + job.timeout if job.timeout else math.inf
    return min(timeout, job.deadline) if job.deadline else timeout


def _interrupted(attempt: Attempt) -> Outcome:
    match attempt.cause:
        case Cause.TIMEOUT:
            return _timed_out(attempt)
        case Cause.CANCEL:
            return Cancelled()
        case Cause.CANCEL_ATTEMPT:
            return Cancelled(retry=True)
        case Cause.STOP | Cause.LOST:
            return Released()
        case None:
            return Failed("the handler was cancelled by something inside it")


def _timed_out(attempt: Attempt) -> Failed:
    job = attempt.claim.job
    if attempt.deadline == job.deadline:
        return Failed("the job's deadline passed while it ran", permanent=True)
    return Failed(f"timed out: the handler ran longer than {job.timeout:g} s")


def _text(error: BaseException) -> str:
    """The error first, then where it was raised."""
    summary = "".join(traceback.format_exception_only(error)).strip()
    # The first frame is ours.
    frames = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:][-_SHOWN_FRAMES:])
    return f"{summary}\n{''.join(frames)}".strip()
