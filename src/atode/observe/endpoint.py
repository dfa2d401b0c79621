"""`/metrics`, `/healthz` and `/readyz` of a process that runs workers.

All of it happens on threads of its own, with connections of its own, so that it answers while
handlers keep the event loop busy, and says so.
"""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Protocol

from atode._portal import Portal
from atode.clock import SystemClock
from atode.errors import BadOption
from atode.lifeline import QUESTIONS, Lifeline, Word, lifeline
from atode.observe.family import HEALTH_WITHIN, Family, Told, idle, sick
from atode.observe.health import Health
from atode.observe.http_server import Answer, HttpServer, text
from atode.observe.observed import Observed

if TYPE_CHECKING:
    from atode.observe.observatory import Observatory

logger = logging.getLogger("atode")

# Less than a scraper waits, with what the store may take after it.
_FIGURES_WITHIN = 2.0

_ADDRESS = re.compile(r"(?:(?P<host>[^\s:/@\[\]]+|\[[0-9A-Fa-f:.]+\]):)?(?P<port>\d{1,5})")


@asynccontextmanager
async def observed(
    app: Observed, address: str, family: Family | None = None
) -> AsyncGenerator[str]:
    """Serve what can be seen of `app` and its workers inside the block; gives the URL.

    `address` is `port` (on this machine only), `host:port`, or nothing, which serves nothing; port
    0 takes a free one. Every process needs an address of its own. With `family`, it is
    that of several processes together; in one of these, their parent is told, and no URL given.

    Raises:
        BadOption: the address is none, or taken, or `atode[metrics]` is not installed.
    """
    if not address:
        yield ""
        return
    line = lifeline()
    if line and family is None:
        with _telling(app, line):
            yield ""
        return
    host, port = parse_address(address)
    observatory_of = _observatory_type()
    portal, store = Portal(), app.broker.sibling()
    observatory = observatory_of(app, broker=lambda: store, own=family.totals if family else None)
    endpoint: _Endpoint
    if family:
        endpoint = _FamilyEndpoint(portal, observatory, family)
    else:
        endpoint = _ProcessEndpoint(portal, observatory, Health(app.events))
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


@contextmanager
def _telling(app: Observed, line: Lifeline) -> Generator[None]:
    """Answer the parent's questions inside the block."""
    _observatory_type()  # Or say what is not installed.
    from atode.observe.metrics import Metrics
    from atode.observe.own import OfThisProcess
    from atode.observe.totals import packed

    own = OfThisProcess(Metrics(app.events, app.registry, SystemClock()))
    health = Health(app.events)

    def tell(word: Word) -> None:
        if word is Word.HEALTH:
            line.answer(word, [health.of_loop(), health.of_workers()])
        else:
            line.answer(word, packed(own))

    def hear(word: Word, number: int) -> bool:
        if word not in QUESTIONS:
            return False
        # The loop may keep us waiting, which must not keep anybody from hearing more.
        Thread(target=tell, args=(word,), name="atode-answer", daemon=True).start()
        return True

    line.subscribe(hear)
    # That it hears, and where its counters start.
    tell(Word.FIGURES)
    try:
        yield
    finally:
        tell(Word.FIGURES)


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


class _Endpoint(Protocol):
    """The answers. Each is given on a thread of its own."""

    def metrics(self, accept: str) -> Answer: ...

    def healthz(self, accept: str) -> Answer: ...

    def readyz(self, accept: str) -> Answer: ...


class _ProcessEndpoint:
    """What one process answers."""

    def __init__(self, portal: Portal, observatory: "Observatory", health: Health) -> None:
        self._portal = portal
        self._observatory = observatory
        self._health = health

    def metrics(self, accept: str) -> Answer:
        return _page(self._portal, self._observatory, accept)

    def healthz(self, accept: str) -> Answer:
        return _verdict(self._health.of_loop)

    def readyz(self, accept: str) -> Answer:
        return _verdict(
            self._health.of_workers, lambda: self._portal.run(self._observatory.trouble)
        )


class _FamilyEndpoint:
    """What the parent of several processes answers for all of them."""

    def __init__(self, portal: Portal, observatory: "Observatory", family: Family) -> None:
        self._portal = portal
        self._observatory = observatory
        self._family = family
        self._loop = asyncio.get_running_loop()

    def metrics(self, accept: str) -> Answer:
        # Who does not answer is told of as it was when it did.
        self._ask(Word.FIGURES, _FIGURES_WITHIN)
        return _page(self._portal, self._observatory, accept)

    def healthz(self, accept: str) -> Answer:
        return _verdict(lambda: sick(self._ask(Word.HEALTH, HEALTH_WITHIN)))

    def readyz(self, accept: str) -> Answer:
        return _verdict(
            lambda: idle(self._ask(Word.HEALTH, HEALTH_WITHIN)),
            lambda: self._portal.run(self._observatory.trouble),
        )

    def _ask(self, question: Word, within: float) -> Sequence[Told]:
        asking = self._family.ask(question, within)
        return asyncio.run_coroutine_threadsafe(asking, self._loop).result()


def _page(portal: Portal, observatory: "Observatory", accept: str) -> Answer:
    page = portal.run(lambda: observatory.page(accept))
    return Answer(200, page.content_type, page.body)


def _verdict(*checks: Callable[[], str]) -> Answer:
    for check in checks:
        if trouble := check():
            return text(503, trouble)
    return text(200, "ok")
