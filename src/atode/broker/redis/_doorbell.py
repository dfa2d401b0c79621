"""Waiting for work in one queue, without polling."""

import asyncio

from atode.broker.redis._link import Line, Link
from atode.broker.redis.keys import QueueKeys
from atode.errors import BrokerError

_BLOCK = 10
"""Seconds of one blocking command; then it is sent again, which also finds dead connections."""

_GRACE = 5.0
"""Seconds beyond that in which the answer must have come."""


class Doorbell:
    """Rings when a queue has a pending job.

    Moving the tail of the list onto itself changes nothing, blocks while the list is empty,
    and is woken by whoever pushes, Go clients included (the protocol's section 17).
    """

    def __init__(self, link: Link, keys: QueueKeys) -> None:
        self._link = link
        self._pending = keys.pending
        self._line: Line | None = None
        self._task: asyncio.Task[BrokerError | None] | None = None

    def listen(self) -> "asyncio.Task[BrokerError | None]":
        """A task that ends when there may be a job, or with the error that kept it from knowing.

        It goes on over several waits, so that a wait that ends leaves no connection with an
        unknown state; do not cancel it.
        """
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._until_rung(), name=f"wait {self._pending}")
        return self._task

    async def close(self) -> None:
        """Stop listening."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        await self._hang_up()

    async def _until_rung(self) -> BrokerError | None:
        kept = self._line is not None
        try:
            await self._ask()
        except BrokerError as error:
            await self._hang_up()
            if not kept:
                return error
            # A connection from earlier may have died while nobody used it; a new one tells
            # whether Redis is there.
            try:
                await self._ask()
            except BrokerError as second:
                await self._hang_up()
                return second
        return None

    async def _ask(self) -> None:
        if self._line is None:
            line = self._link.line()
            try:
                await line.open()
            except BaseException:
                await line.close()
                raise
            self._line = line
        while True:
            command = ("BLMOVE", self._pending, self._pending, "RIGHT", "RIGHT", _BLOCK)
            await self._line.send(*command)
            if await self._line.read(within=_BLOCK + _GRACE) is not None:
                return

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line:
            await line.close()
