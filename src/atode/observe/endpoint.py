"""`/metrics`, `/healthz` and `/readyz` of a process that runs workers.

All of it happens on threads of its own, with connections of its own, so that it answers while
handlers keep the event loop busy, and says so.
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from atode._portal import Portal
from atode.errors import BadOption
from atode.observe.health import Health
from atode.observe.http_server import Answer, HttpServer, text
from atode.observe.observed import Observed

if TYPE_CHECKING:
    from atode.observe.observatory import Observatory

logger = logging.getLogger("atode")

_ADDRESS = re.compile(r"(?:(?P<host>[^\s:/@\[\]]+|\[[0-9A-Fa-f:.]+\]):)?(?P<port>\d{1,5})")


@asynccontextmanager
async def observed(app: Observed, address: str) -> AsyncGenerator[str]:
    """Serve what can be seen of `app` and its workers inside the block; gives the URL.

    `address` is `port` (on this machine only), `host:port`, or nothing, which serves nothing; port
    0 takes a free one. Every process needs an address of its own.

    Raises:
        BadOption: the address is none, or taken, or `atode[metrics]` is not installed.
    """
    if not address:
        yield ""
        return
    host, port = parse_address(address)
    observatory_of = _observatory_type()
    portal, store = Portal(), app.broker.sibling()
    observatory, health = observatory_of(app, broker=lambda: store), Health(app.events)
    endpoint = _Endpoint(portal, observatory, health)
    server = HttpServer(
        host,
        port,
        {"/metrics": endpoint.metrics, "/healthz": endpoint.healthz, "/readyz": endpoint.readyz},
    )
    logger.info("metrics and health are at %s/metrics, /healthz and /readyz", server.url)
    try:
        yield server.url
    finally:
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(portal.run, store.close)
        portal.close()


def parse_address(address: str) -> tuple[str, int]:
    """Host and port of `[host:]port`; without a host it is this machine only.

    Raises:
        BadOption: it is of another form.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None or int(match["port"]) > 65_535:
        raise BadOption(
            f"metrics is {address!r}; it must be a port from 0 to 65535, or host:port such as "
            "0.0.0.0:9400"
        )
    return (match["host"] or "127.0.0.1").strip("[]"), int(match["port"])


def _observatory_type() -> "type[Observatory]":
    try:
        from atode.observe.observatory import Observatory
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "prometheus_client":
            raise
        raise BadOption("metrics need prometheus-client: pip install 'atode[metrics]'") from None
    return Observatory


class _Endpoint:
    """The answers. Each is given on a thread of its own."""

    def __init__(self, portal: Portal, observatory: "Observatory", health: Health) -> None:
        self._portal = portal
        self._observatory = observatory
        self._health = health

    def metrics(self, accept: str) -> Answer:
        page = self._portal.run(lambda: self._observatory.page(accept))
        return Answer(200, page.content_type, page.body)

    def healthz(self, accept: str) -> Answer:
        return _verdict(self._health.of_loop)

    def readyz(self, accept: str) -> Answer:
        return _verdict(
            self._health.of_workers, lambda: self._portal.run(self._observatory.trouble)
        )


def _verdict(*checks: Callable[[], str]) -> Answer:
    for check in checks:
        if trouble := check():
            return text(503, trouble)
    return text(200, "ok")
