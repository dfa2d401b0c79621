"""The two stores between which queues move."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlsplit

from atode.broker.protocol import Broker
from atode.cli._deployment import explained, must_exist
from atode.clock import Clock, SystemClock
from atode.errors import AtodeError, BadOption
from atode.stores import broker_for, sqlite_file

T = TypeVar("T")


class Stores(NamedTuple):
    """An old and a new store, both open, for code that is not asynchronous."""

    source: Broker
    target: Broker
    clock: Clock
    runner: asyncio.Runner

    def ask(self, question: Callable[[Broker, Broker], Coroutine[Any, Any, T]]) -> T:
        """What `question` finds out, or does, with both."""
        return self.runner.run(question(self.source, self.target))


@contextmanager
def stores(source_url: str, target_url: str) -> Generator[Stores, None, None]:
    """Open both; for errors see `explained`."""
    with explained(source_url, target_url):
        clock = SystemClock()
        source, target = broker_for(source_url, clock), broker_for(durable(target_url), clock)
        _check(source_url, target_url)
        must_exist(source_url)
        with asyncio.Runner() as runner:
            try:
                runner.run(source.open())
                runner.run(target.open())
                yield Stores(source, target, clock, runner)
            finally:
                for broker in (source, target):
                    with suppress(AtodeError):
                        runner.run(broker.close())


def durable(url: str) -> str:
    """The URL, so that what is stored in a file survives a power cut: by then it is deleted in
    the other store."""
    parts = urlsplit(url)
    if parts.scheme != "sqlite" or "synchronous=" in parts.query:
        return url
    return f"{url}{'&' if parts.query else '?'}synchronous=full"


def _check(source_url: str, target_url: str) -> None:
    for option, url in (("--from", source_url), ("--to", target_url)):
        if urlsplit(url).scheme == "memory":
            raise BadOption(f"{option} is {url!r}, whose jobs live within one program only")
    if _place(source_url) == _place(target_url):
        raise BadOption("--from and --to name the same store")


def _place(url: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return ("sqlite", str(sqlite_file(url).resolve()))
    _, _, hosts = parts.netloc.rpartition("@")
    if parts.scheme in {"postgres", "postgresql"}:
        options = dict(parse_qsl(parts.query))
        schema = options.get("schema", "public")
        database = parts.path.strip("/")
        return (hosts.removesuffix(":5432"), options.get("host", ""), database, schema)
    return (hosts.removesuffix(":6379"), parts.path.strip("/") or "0")
