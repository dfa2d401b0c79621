"""Hearing of jobs that are due sooner than anyone could know."""

import asyncio
import math
from collections.abc import Sequence
from contextlib import suppress

from atode.broker.redis._link import TIMEOUT, Line, Link
from atode.clock import Clock, wait_until
from atode.errors import BrokerError, BrokerRefused, BrokerUnavailable

_QUIET = 10.0
"""Seconds without a message after which the connection is tried with a ping."""


class Listener:
    """Subscribed to the channels on which clients tell of jobs that are due very soon."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._subscribing = asyncio.Lock()
        self._news = asyncio.Event()
        self._line: Line | None = None
        self._reader: asyncio.Task[None] | None = None
        self._asked: set[str] = set()
        self._confirmed: set[str] = set()
        self._earliest = math.inf
        self._failure: BrokerError | None = None
        self._lost = False
        # Without the right to subscribe, jobs that are told of come up to a second late.
        self._deaf = False

    async def subscribe(self, channels: Sequence[str]) -> None:
        """Return once messages on these channels are heard; BrokerUnavailable if they cannot be."""
        async with self._subscribing:
            if self._deaf:
                return
            if self._failure or self._lost:
                await self.close()
            line = self._line or await self._connect(channels)
            new = [channel for channel in channels if channel not in self._asked]
            if new:
                self._asked.update(new)
                try:
                    await line.send("SUBSCRIBE", *new)
                except BrokerError:
                    await self.close()
                    raise
            await self._until_confirmed(channels)

    async def wait(self, channels: Sequence[str], instant: float) -> None:
        """Return at `instant`, or as soon as a job that is due earlier was told of.

        Raises:
            BrokerUnavailable: the connection failed, now or since the last call, so that
                something may have been missed.
        """
        self._raise_failure()
        await self.subscribe(channels)
        while self._earliest >= instant:
            self._raise_failure()
            self._news.clear()
            if not await wait_until(self._news, instant, self._clock):
                break
        self._earliest = math.inf

    async def close(self) -> None:
        """Hang up and forget what was heard."""
        reader, self._reader = self._reader, None
        if reader:
            reader.cancel()
            await asyncio.wait([reader])
        line, self._line = self._line, None
        if line:
            await line.close()
        self._asked.clear()
        self._confirmed.clear()
        self._earliest = math.inf
        self._failure, self._lost = None, False

    async def _connect(self, channels: Sequence[str]) -> Line:
        # In a cluster a message reaches every node, so any of them will do.
        line = self._line = await self._link.line(next(iter(channels), ""))
        self._reader = asyncio.create_task(self._read(line), name="hear of due jobs")
        return line

    async def _read(self, line: Line) -> None:
        try:
            while True:
                self._note(await self._next_message(line))
                self._news.set()
        except BrokerRefused:
            self._deaf = True
            self._news.set()
        except BrokerError as error:
            self._failure = error
            self._news.set()

    async def _next_message(self, line: Line) -> list[bytes]:
        try:
            message: list[bytes] = await line.read(within=_QUIET)
        except BrokerUnavailable as error:
            if not isinstance(error.__cause__, TimeoutError):
                raise
            await line.send("PING")
            message = await line.read(within=TIMEOUT)
        return message

    def _note(self, message: list[bytes]) -> None:
        match message:
            case [b"subscribe", channel, _]:
                self._confirmed.add(channel.decode())
            case [b"message", _, instant]:
                # Anybody may publish anything; what is no number is not for us.
                with suppress(ValueError):
                    self._earliest = min(self._earliest, float(instant))
            case _:
                pass

    async def _until_confirmed(self, channels: Sequence[str]) -> None:
        try:
            async with asyncio.timeout(TIMEOUT):
                while not self._deaf and not self._confirmed.issuperset(channels):
                    self._raise_failure()
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError as error:
            await self.close()
            text = f"Redis at {self._link.address} did not answer within {TIMEOUT:g} s"
            raise BrokerUnavailable(text) from error

    def _raise_failure(self) -> None:
        failure = self._failure
        if failure:
            # Told once: the next call starts anew.
            self._lost, self._failure = True, None
            raise failure
