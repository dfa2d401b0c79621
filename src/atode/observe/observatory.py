"""What can be seen of a process and of its store: for an HTTP server to pass on."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import chain
from typing import NamedTuple

from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder

from atode.broker.protocol import Inspect
from atode.clock import Clock, SystemClock
from atode.errors import BrokerError
from atode.observe.metrics import Metrics
from atode.observe.observed import Observed
from atode.observe.own import OfThisProcess, Own
from atode.observe.survey import Survey, families, survey

_PATIENCE = 4.0
"""Seconds for the store to answer: less than any scraper waits."""


class Page(NamedTuple):
    """An answer to a scraper."""

    content_type: str
    body: bytes


class Observatory:
    """Counts an app's events from now on, and looks at its store whenever it is asked.

    `broker` gives the store to look at, by default the app's own on the running event loop.
    `own` is what there is to tell besides, by default what this process has done.
    """

    def __init__(
        self,
        app: Observed,
        *,
        broker: Callable[[], Inspect] | None = None,
        clock: Clock | None = None,
        own: Own | None = None,
    ) -> None:
        self._broker = broker or (lambda: app.broker)
        self._clock = clock or SystemClock()
        self._own = own or OfThisProcess(Metrics(app.events, app.registry, self._clock))

    async def page(self, accept: str = "") -> Page:
        """All figures, in the format that the `Accept` header of a scraper asks for.

        Those that the program itself keeps in Prometheus' default registry come along. While
        the store does not answer, its figures are missing and `broker_up` is 0.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await survey(self._broker(), self._clock, self._own.queues)
        except (BrokerError, TimeoutError):
            found = None
        encode, content_type = choose_encoder(accept)
        return Page(content_type, encode(_Snapshot(self._own, found)))

    async def trouble(self) -> str:
        """Why the store cannot be used now, in one line; empty if it can be."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._broker().queues()
        except TimeoutError:
            return f"the broker did not answer within {_PATIENCE:g} s"
        except BrokerError as error:
            return str(error).partition("\n")[0]
        return ""


class _Snapshot(NamedTuple):
    """What one scrape collects."""

    own: Own
    found: Survey | None

    def collect(self) -> Iterable[Metric]:
        return chain(families(self.found), self.own.collect())
