"""A connection that is subscribed to channels, and what was heard on it."""

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import suppress

from atode.broker.redis._link import TIMEOUT, Line
from atode.broker.redis.keys import DEFINITIONS
from atode.clock import Clock, wait_until
from atode.errors import BrokerError, BrokerRefused, BrokerUnavailable

_QUIET = 10.0
"""Seconds without a message after which the connection is tried with a ping."""

_MOST_TOLD = 10_000
"""Cancellations that are kept for a listener that does not ask; then it counts as gone."""

_DEFINITIONS = DEFINITIONS.encode()

Told = tuple[str, bytes]
"""A channel, and the id of a job."""


class Subscription:
    """Hears messages until its connection fails; then it has a `failure`, and is of no more use."""

    def __init__(self, line: Line, address: str) -> None:
        self.failure: BrokerError | None = None
        self.earliest = math.inf
        """The earliest due instant that was told of."""
        self.revision = 0
        """The last revision of definitions that was told of; 0 for none."""
        self.told: dict[str, list[Told]] = {}
        """For each listener, which running jobs were cancelled since it last asked."""
        self._line = line
        self._address = address
        self._asked: set[str] = set()
        self._confirmed: set[str] = set()
        # Without the right to subscribe, jobs that are told of are found by looking: late.
        self._deaf = False
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read(), name="hear of jobs")

    async def add(self, channels: Sequence[str]) -> None:
        """Return once messages on these channels are heard, or there is a failure."""
        new = [channel for channel in channels if channel not in self._asked]
        if self.failure or self._deaf:
            return
        try:
            if new:
                self._asked.update(new)
                await self._line.send("SUBSCRIBE", *new)
            async with asyncio.timeout(TIMEOUT):
                while not (self.failure or self._deaf or self._confirmed.issuperset(channels)):
                    await self._news.wait()
        except BrokerError as error:
            self._fail(error)
        except TimeoutError as error:
            text = f"Redis at {self._address} did not answer within {TIMEOUT:g} s"
            unavailable = BrokerUnavailable(text)
            unavailable.__cause__ = error
            self._fail(unavailable)

    async def wait(self, fact: Callable[[], bool], until: float, clock: Clock) -> None:
        """Return as soon as `fact` is true or there is a failure, but at the instant `until`."""
        while not (self.failure or fact()):
            if not await wait_until(self._news, until, clock):
                break

    async def close(self) -> None:
        """Hang up."""
        self._reader.cancel()
        await asyncio.wait([self._reader])
        await self._line.close()

    async def _read(self) -> None:
        try:
            while True:
                self._note(await self._next_message())
                self._ring()
        except BrokerRefused:
            self._deaf = True
            self._ring()
        except BrokerError as error:
            self._fail(error)

    async def _next_message(self) -> list[bytes]:
        try:
            message: list[bytes] = await self._line.read(within=_QUIET)
        except BrokerUnavailable as error:
            if not isinstance(error.__cause__, TimeoutError):
                raise
            await self._line.send("PING")
            message = await self._line.read(within=TIMEOUT)
        return message

    def _note(self, message: list[bytes]) -> None:
        match message:
            case [b"subscribe", channel, _]:
                self._confirmed.add(channel.decode())
            case [b"message", channel, job_id] if channel.endswith(b":cancel"):
                for listener, told in list(self.told.items()):
                    told.append((channel.decode(), job_id))
                    if len(told) > _MOST_TOLD:
                        del self.told[listener]
            case [b"message", channel, revision] if channel == _DEFINITIONS:
                with suppress(ValueError):
                    self.revision = int(revision)
            case [b"message", _, instant]:
                # Anybody may publish anything; what is no number is not for us.
                with suppress(ValueError):
                    self.earliest = min(self.earliest, float(instant))
            case _:
                pass

    def _fail(self, failure: BrokerError) -> None:
        self.failure = self.failure or failure
        self._ring()

    def _ring(self) -> None:
        # Whoever waits holds the old event; a new one, so that nobody clears another's.
        self._news.set()
        self._news = asyncio.Event()
