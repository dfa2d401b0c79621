"""Which broker a URL means; the only place that knows all of them."""

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from atode.broker.memory import MemoryBroker
from atode.broker.protocol import Broker
from atode.clock import Clock
from atode.errors import BadOption


def broker_for(url: str, clock: Clock) -> Broker:
    """The broker that a URL names, not opened yet.

    Raises:
        BadOption: no such kind of URL, or its extra is not installed.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        # Python's words may quote the password.
        reason = "its host is not valid" if "@" in url else str(error)
        raise BadOption(f"broker URL cannot be read: {reason}") from None
    match parts.scheme:
        case "memory":
            return MemoryBroker(clock)
        case "sqlite":
            from atode.broker.sqlite.broker import SqliteBroker

            return SqliteBroker(sqlite_file(url), clock, **_sqlite_options(parts.query))
        case "redis" | "rediss" | "redis+sentinel" | "redis+cluster":
            try:
                from atode.broker.redis.broker import RedisBroker
            except ImportError as error:
                raise BadOption(
                    f"{parts.scheme}:// needs more packages ({error}): pip install 'atode[redis]'"
                ) from error
            return RedisBroker(url, clock)
        case "postgres" | "postgresql":
            try:
                from atode.broker.postgres.broker import PostgresBroker
            except ImportError as error:
                raise BadOption(
                    f"{parts.scheme}:// needs more packages ({error}): "
                    "pip install 'atode[postgres]'"
                ) from error
            return PostgresBroker(url, clock)
        case _:
            raise BadOption(
                f"broker URL {parts.scheme + '://…' if parts.scheme else url!r} is of no known "
                "kind; there are sqlite:///path, redis://host:port/database, rediss://, "
                "redis+sentinel://, redis+cluster://, postgresql://host:port/database and memory://"
            )


def sqlite_file(url: str) -> Path:
    """The file of an `sqlite:` URL.

    Raises:
        BadOption: it names none.
    """
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc or not path.strip("/"):
        raise BadOption(
            f"broker URL {url!r} names no file; write sqlite:///jobs.db for one in the working "
            "directory, sqlite:////var/lib/jobs.db for an absolute one"
        )
    return Path(os.path.expanduser(path[1:]))


def _sqlite_options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := options.keys() - {"synchronous", "network"}:
        raise BadOption(
            f"SQLite URLs have no option {', '.join(sorted(unknown))}; there are "
            "?synchronous=full and ?network=allow"
        )
    return options
