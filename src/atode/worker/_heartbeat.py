"""Keeps what we hold and says that we live, on a thread of its own.

A handler that blocks the event loop, or computes for minutes, must not cost the worker its
leases: the heartbeat has its own thread, event loop and connection to the broker.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from atode.broker.protocol import Broker
from atode.errors import BrokerError
from atode.events import Event, Events
from atode.job import Claim
from atode.presence import Presence
from atode.size import Wish
from atode.worker._ledger import Ledger
from atode.worker._service import Outage

T = TypeVar("T")

PRESENCE_EVERY = 5.0
PRESENCE_LIFETIME = 10.0
_LONGEST_PAUSE = 1.0


class Heartbeat:
    """Extends every lease three times in its length, and renews the worker's presence."""

    def __init__(
        self,
        broker: Broker,
        ledger: Ledger,
        events: Events,
        *,
        presence: Callable[[], Presence],
        lost: Callable[[Sequence[Claim]], None],
        wished: Callable[[Wish], None],
        lease: float,
    ) -> None:
        self._broker = broker.sibling()
        self._ledger = ledger
        self._presence = presence
        self._lost = lost
        self._wished = wished
        self._events = events
        self._lease = lease
        self._stopping = threading.Event()
        self._is_shown = False
        self._wake: Callable[[], object] = lambda: None
        self._thread: threading.Thread | None = None
        self._ended: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Begin to beat; what is lost or wished is told on the event loop that is running now."""
        loop = asyncio.get_running_loop()
        self._ended = loop.create_future()
        self._thread = threading.Thread(
            target=self._run, args=(loop, self._ended), name="atode-heartbeat", daemon=True
        )
        self._thread.start()

    def show(self) -> None:
        """The presence has changed: renew it at once."""
        self._is_shown = False
        self._wake()

    async def stop(self) -> None:
        """Take the presence back and end the thread."""
        self._stopping.set()
        self._wake()
        if self._ended:
            await self._ended

    def _run(self, owner: asyncio.AbstractEventLoop, ended: asyncio.Future[None]) -> None:
        try:
            asyncio.run(self._beat_until_stopped(owner))
        finally:
            _call(owner, _finish, ended)

    async def _beat_until_stopped(self, owner: asyncio.AbstractEventLoop) -> None:
        loop = asyncio.get_running_loop()
        bell = asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(bell.set)
        outage = Outage("heartbeat", _Forwarded(self._events, owner), longest=_LONGEST_PAUSE)
        seen_at = float("-inf")
        while not self._stopping.is_set():
            try:
                await self._extend(owner)
                if not self._is_shown or loop.time() - seen_at >= PRESENCE_EVERY:
                    await self._show(owner)
                    seen_at = loop.time()
                outage.over()
                pause = min(self._lease / 3, PRESENCE_EVERY)
            except Exception as error:
                pause = outage.pause(error)
            await _rest(bell, pause)
        await self._leave()

    async def _show(self, owner: asyncio.AbstractEventLoop) -> None:
        # Before it is looked at: what changes from here on has to be shown once more.
        self._is_shown = True
        try:
            wish = await self._broker.beat(self._presence(), lifetime=PRESENCE_LIFETIME)
        except Exception:
            self._is_shown = False
            raise
        if wish:
            _call(owner, self._wished, wish)

    async def _extend(self, owner: asyncio.AbstractEventLoop) -> None:
        attempts = self._ledger.attempts()
        claims = [attempt.claim for attempt in attempts if not attempt.is_completed]
        if not claims:
            return
        lost = await self._broker.extend(claims, lease=self._lease)
        if lost:
            _call(owner, self._lost, lost)

    async def _leave(self) -> None:
        # If this fails, the entry expires by itself.
        with suppress(BrokerError, TimeoutError):
            await asyncio.wait_for(self._broker.leave(self._presence()), 2)
        await self._broker.close()


class _Forwarded(Events):
    """Publishes on the owner's loop, since subscribers expect its thread."""

    def __init__(self, events: Events, owner: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._events = events
        self._owner = owner

    def publish(self, event: Event) -> None:
        _call(self._owner, self._events.publish, event)


def _call(owner: asyncio.AbstractEventLoop, function: Callable[[T], object], value: T) -> None:
    # A loop that is closed has nobody left who wants to know.
    with suppress(RuntimeError):
        owner.call_soon_threadsafe(function, value)


def _finish(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


async def _rest(bell: asyncio.Event, pause: float) -> None:
    try:
        async with asyncio.timeout(pause):
            await bell.wait()
            bell.clear()
    except TimeoutError:
        pass
