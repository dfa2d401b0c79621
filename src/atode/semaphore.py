"""Semaphores: how many jobs may do something at the same time, in all processes together."""

import asyncio
import math
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple

from atode._portal import Portal
from atode.broker.protocol import Limits
from atode.clock import Clock
from atode.context import execution
from atode.duration import Duration, seconds
from atode.errors import BadOption, BrokerError, BrokerUnavailable, Misused, Snooze

LONGEST_SCOPE = 200


class Semaphore:
    """So many places that jobs take while they do something; make one with `jobs.semaphore`.

    Places are kept by job: one that is run again after its worker died has its place still.
    Jobs of Go programs take places in the same scope with asynq's `x/rate`.
    """

    def __init__(
        self, scope: str, limit: int, broker: Callable[[], Limits], portal: Portal, clock: Clock
    ) -> None:
        self.scope = _checked_scope(scope)
        self.limit = _checked_limit(limit, scope)
        self._places = _Places(scope, limit, broker, clock)
        self._portal = portal

    def slot(self, *, or_snooze: Duration = 1.0, lifetime: Duration | None = None) -> "Slot":
        """A place for the running job in a block of its handler: `async with payments.slot():`,
        in ordinary functions `with payments.slot():`.

        If all are taken, or the store is away, the job is snoozed: it runs again after
        `or_snooze` seconds, with no retry used. Nobody stands in line: of those who come, the
        first to find a place free gets it. A job has one place, however many blocks it is in.

        A job that crashes and does not come back keeps its place until its attempt would have
        been over by timeout or deadline, or for `lifetime` seconds (1 or more) if that is given.
        A block that takes longer counts no more.

        To enter the block outside of a job raises Misused, and so does `with` on an event loop.

        Raises:
            BadOption: `or_snooze` or `lifetime` is out of its range.
        """
        return Slot(
            self._places,
            self._portal,
            seconds(or_snooze, "or_snooze"),
            None if lifetime is None else seconds(lifetime, "lifetime", at_least=1),
        )

    def __repr__(self) -> str:
        return f"<semaphore {self.scope!r} of {self.limit}>"


class Slot:
    """A place that a job takes while it is in a block; see `Semaphore.slot`."""

    def __init__(
        self, places: "_Places", portal: Portal, or_snooze: float, lifetime: float | None
    ) -> None:
        self._places = places
        self._portal = portal
        self._or_snooze = or_snooze
        self._lifetime = lifetime

    async def __aenter__(self) -> None:
        try:
            is_taken = await self._places.take(self._lifetime)
        except BrokerUnavailable as error:
            # Whether there is a place cannot be told. That is no failure of the job.
            raise Snooze(self._or_snooze) from error
        if not is_taken:
            raise Snooze(self._or_snooze)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._places.give_back()

    def __enter__(self) -> None:
        if _runs_event_loop():
            raise Misused(
                f"semaphore {self._places.scope!r} would hold up the event loop: in an async "
                "function, write `async with`"
            )
        # The portal's event loop runs this in a copy of our context, so it sees the same job.
        self._portal.run(self.__aenter__)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._portal.run(self._places.give_back)


class _Places:
    """Which attempts of this process hold a place in a scope."""

    def __init__(self, scope: str, limit: int, broker: Callable[[], Limits], clock: Clock) -> None:
        self.scope = scope
        self._limit = limit
        self._broker = broker
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[_Attempt, _Place] = {}

    async def take(self, lifetime: float | None) -> bool:
        """Take a place for the running job; whether there is one."""
        attempt = self._attempt()
        if self._count_in(attempt):
            return True
        until = self._until(attempt, lifetime)
        is_taken = await self._broker().take_place(
            self.scope, attempt.job_id, limit=self._limit, until=until
        )
        if is_taken:
            with self._lock:
                depth = self._held[attempt].depth if attempt in self._held else 0
                self._held[attempt] = _Place(until, depth + 1)
        return is_taken

    async def give_back(self) -> None:
        """Give the running job's place back, unless it is in another block still."""
        attempt = self._attempt()
        with self._lock:
            until, depth = self._held.pop(attempt)
            if depth > 1:
                self._held[attempt] = _Place(until, depth - 1)
                return
        # The work is done. That its place is free only later must not undo that.
        with suppress(BrokerError):
            await self._broker().free_place(self.scope, attempt.job_id, until=until)

    def _count_in(self, attempt: "_Attempt") -> bool:
        with self._lock:
            if attempt not in self._held:
                return False
            until, depth = self._held[attempt]
            self._held[attempt] = _Place(until, depth + 1)
            return True

    def _attempt(self) -> "_Attempt":
        here = execution.get()
        if here is None:
            raise Misused(
                f"semaphore {self.scope!r} is used outside of a job, but a place belongs to the "
                "job that runs: use it in a task's handler"
            )
        return _Attempt(here.job.id, here.ends_at)

    def _until(self, attempt: "_Attempt", lifetime: float | None) -> float:
        until = attempt.ends_at if lifetime is None else self._clock.now() + lifetime
        if math.isinf(until):
            raise BadOption(
                f"job {attempt.job_id} has neither timeout nor deadline, so nobody could tell when "
                f"its place in semaphore {self.scope!r} is free if it crashes: give the task "
                "one of them, or the place a lifetime, such as slot(lifetime=3600)"
            )
        return until


class _Attempt(NamedTuple):
    """Who holds a place. Two attempts of one job differ in when they end."""

    job_id: str
    ends_at: float


class _Place(NamedTuple):
    until: float
    depth: int
    """How many blocks the attempt is in."""


def _runs_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _checked_scope(scope: str) -> str:
    if not scope.strip() or len(scope) > LONGEST_SCOPE or not scope.isprintable():
        raise BadOption(
            f"semaphore name {scope[:80]!r} must have 1 to {LONGEST_SCOPE} printable characters"
        )
    return scope


def _checked_limit(limit: int, scope: str) -> int:
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise BadOption(f"semaphore {scope!r} has limit {limit!r}; it must be 1 or more")
    return limit
