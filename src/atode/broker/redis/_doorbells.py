"""Waiting for work without polling."""

import asyncio
from collections.abc import Sequence

from atode.broker.redis._failures import has_moved
from atode.broker.redis._link import Line, Link
from atode.broker.redis.keys import QueueKeys, keys_of
from atode.errors import BrokerError

_BLOCK = 10
"""Seconds of one blocking command; then it is sent again, which also finds dead connections."""

_GRACE = 5.0
"""Seconds beyond that in which the answer must have come."""

_ATTEMPTS = 3
"""Connections that are tried: one from earlier, and where a moved queue is now."""

_PAUSE_CHECK = 1.0
"""Seconds after which a paused queue is looked at again by who waits for it."""


class Doorbells:
    """One doorbell for each queue that was ever waited for."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._bells: dict[str, Doorbell] = {}

    async def wait(self, queues: Sequence[str], at_most: float) -> None:
        """Return as soon as a queue that is not paused has a job, or after `at_most` seconds."""
        limit = asyncio.timeout(at_most)
        try:
            async with limit:
                while not await self._rung(queues):
                    pass
        except TimeoutError:
            if not limit.expired():
                raise

    async def close(self) -> None:
        """Stop listening; who waits is told that something happened."""
        for bell in self._bells.values():
            await bell.close()
        self._bells.clear()

    async def _rung(self, queues: Sequence[str]) -> bool:
        paused = await self._link.call([("EXISTS", keys_of(name).paused) for name in queues])
        serving = [name for name, flag in zip(queues, paused.replies, strict=True) if not flag]
        if not serving:
            await asyncio.sleep(_PAUSE_CHECK)
            return False
        # Blocking on a paused queue that holds jobs would return at once, for ever.
        patience = None if len(serving) == len(queues) else _PAUSE_CHECK
        tasks = {self._bell(name).listen() for name in serving}
        done, _ = await asyncio.wait(tasks, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            # Cancelled: the broker was closed.
            if not task.cancelled() and (error := task.result()):
                raise error
        return bool(done)

    def _bell(self, queue: str) -> "Doorbell":
        if queue not in self._bells:
            self._bells[queue] = Doorbell(self._link, keys_of(queue))
        return self._bells[queue]


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
        failure: BrokerError | None = None
        for _ in range(_ATTEMPTS):
            try:
                await self._ask()
                return None
            except BrokerError as error:
                await self._hang_up()
                failure = error
            # A connection from earlier may have died while nobody used it, and a queue may
            # have moved to another node; a new one tells whether Redis is there.
            if not kept and not has_moved(failure):
                break
            kept = False
        return failure

    async def _ask(self) -> None:
        if self._line is None:
            self._line = await self._link.line(self._pending)
        while True:
            command = ("BLMOVE", self._pending, self._pending, "RIGHT", "RIGHT", _BLOCK)
            await self._line.send(*command)
            if await self._line.read(within=_BLOCK + _GRACE) is not None:
                return

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line:
            await line.close()
