"""Hearing of what cannot wait for the next look: jobs due very soon, and cancelled ones."""

import asyncio
import math
from collections.abc import Sequence

from atode.broker.redis._link import Link
from atode.broker.redis._subscription import Subscription, Told
from atode.broker.redis.keys import DEFINITIONS
from atode.clock import Clock


class Listener:
    """One subscribed connection for all, and a new one after it has failed.

    Each kind of listener holds on to the one from which it has heard everything since its last
    look, and so notices if it was replaced.
    """

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._opening = asyncio.Lock()
        self._open: Subscription | None = None
        self._for_due: Subscription | None = None
        self._for_defined: Subscription | None = None
        self._for_cancelled: dict[str, Subscription] = {}

    async def subscribe(self, channels: Sequence[str]) -> None:
        """Return once due jobs on these channels are heard of; else BrokerUnavailable."""
        self._for_due = await self._subscribed(channels)

    async def wait(self, channels: Sequence[str], instant: float) -> None:
        """Return at `instant`, or as soon as a job that is due earlier was told of.

        Raises:
            BrokerUnavailable: the connection failed, now or since the last call, so that
                something may have been missed.
        """
        heard = self._for_due = self._for_due or await self._subscribed(channels)
        await heard.add(channels)
        await heard.wait(lambda: heard.earliest < instant, instant, self._clock)
        heard.earliest = math.inf
        if heard.failure:
            self._for_due = None
            raise heard.failure

    async def defined(self, revision: int, instant: float) -> None:
        """Return at `instant`, or as soon as another revision of definitions was told of; at once
        where one may have been missed.

        Raises:
            BrokerUnavailable: as for `wait`.
        """
        heard = self._for_defined
        if heard is None:
            self._for_defined = await self._subscribed((DEFINITIONS,))
            return
        await heard.wait(lambda: heard.revision not in (0, revision), instant, self._clock)
        if heard.failure:
            self._for_defined = None
            raise heard.failure

    async def cancelled(
        self, listener: str, channels: Sequence[str], instant: float
    ) -> Sequence[Told]:
        """What was told since this listener's last call; waits for it until `instant`.

        Nothing, and at once, where something has been missed since then.

        Raises:
            BrokerUnavailable: as for `wait`.
        """
        heard = self._for_cancelled.get(listener)
        if heard is None or listener not in heard.told:
            heard = self._for_cancelled[listener] = await self._subscribed(channels)
            heard.told[listener] = []
            return ()
        await heard.add(channels)
        await heard.wait(lambda: heard.told.get(listener) != [], instant, self._clock)
        if heard.failure and not heard.told.get(listener):
            del self._for_cancelled[listener]
            raise heard.failure
        if listener not in heard.told:
            return ()
        told, heard.told[listener] = heard.told[listener], []
        return told

    async def close(self) -> None:
        """Hang up and forget what was heard."""
        self._for_due = self._for_defined = None
        self._for_cancelled.clear()
        subscription, self._open = self._open, None
        if subscription:
            await subscription.close()

    async def _subscribed(self, channels: Sequence[str]) -> Subscription:
        async with self._opening:
            if self._open is None or self._open.failure:
                failed, self._open = self._open, None
                if failed:
                    await failed.close()
                # In a cluster a message reaches every node, so any of them will do.
                line = await self._link.line(next(iter(channels), ""))
                self._open = Subscription(line, self._link.address)
            subscription = self._open
            await subscription.add(channels)
            if subscription.failure:
                raise subscription.failure
            return subscription
