"""The one loop that all of a worker's services share."""

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, TypeVar

from atode.errors import BrokerError
from atode.events import BrokerBack, BrokerLost, Events, ServiceFailed

T = TypeVar("T")

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0


class Outage:
    """Pauses that grow while the broker is away, and the two events at its ends."""

    def __init__(self, service: str, events: Events, longest: float = LONGEST_PAUSE) -> None:
        self._service = service
        self._events = events
        self._longest = longest
        self._pause = FIRST_PAUSE
        self._since: float | None = None
        self.ended_at: float | None = None
        """When the broker last came back, in the loop's time; None if it never left."""

    def pause(self, error: Exception) -> float:
        """The broker failed us with `error`: for how many seconds to leave it alone."""
        # Half to one and a half: processes that lost the broker together return apart.
        pause = self._pause * random.uniform(0.5, 1.5)
        self._pause = min(self._pause * 2, self._longest)
        if self._since is None:
            self._since = asyncio.get_running_loop().time()
        if isinstance(error, BrokerError):
            self._events.publish(BrokerLost(self._service, str(error), pause))
        else:
            self._events.publish(ServiceFailed(self._service, error))
        return pause

    def answered(self) -> None:
        """The broker answered, so it is back. A turn that goes on to sleep says so before."""
        if self._since is None:
            return
        now = asyncio.get_running_loop().time()
        self._events.publish(BrokerBack(self._service, now - self._since))
        self._since, self.ended_at = None, now

    def over(self) -> None:
        """A whole turn went well: the next outage begins with short pauses again."""
        self.answered()
        self._pause = FIRST_PAUSE


class Service:
    """Something that turns until it is stopped, through outages and its own mistakes."""

    name = "service"

    def __init__(self, events: Events) -> None:
        self.outage = Outage(self.name, events)
        self.stopping = False
        """Whether the service was asked to stop."""
        self._is_idle = False
        self._is_cut_short = False
        self._task: asyncio.Task[None] | None = None

    async def turn(self) -> None:
        """One round of the service's work; called again as soon as it returns."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin to turn, on the running loop."""
        self._task = asyncio.create_task(self._run(), name=f"atode-{self.name}")

    async def stop(self) -> None:
        """End an idle wait at once, let a turn that is under way finish, and return then."""
        self.stopping = True
        self.hasten()
        if self._task:
            await asyncio.wait([self._task])

    def hasten(self) -> None:
        """End an idle wait at once: what it waits for is out of date."""
        if self._task and self._is_idle and not self._is_cut_short:
            self._is_cut_short = True
            self._task.cancel()

    async def idle(self, wait: Coroutine[Any, Any, T]) -> T | None:
        """Await something that may be cut short: it is cancelled when the service stops or is
        hastened.

        What it gives, or None if it was cut short.
        """
        if self.stopping:
            wait.close()
            return None
        # Awaited in the service's own asyncio task: another one around it would cost two
        # more turns of the event loop between a wake-up and whoever waits for it.
        self._is_idle = True
        try:
            return await wait
        except (Exception, asyncio.CancelledError):
            # What it raised while it was being cut short is of no interest any more.
            if not self._is_cut_short:
                raise
            return None
        finally:
            self._is_idle = False
            if self._is_cut_short and self._task:
                self._is_cut_short = False
                self._task.uncancel()

    async def _run(self) -> None:
        while not self.stopping:
            try:
                await self.turn()
            except Exception as error:
                await self.idle(asyncio.sleep(self.outage.pause(error)))
            else:
                # A turn that was cut short tells nothing about the broker.
                if not self.stopping:
                    self.outage.over()
