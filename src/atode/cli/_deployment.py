"""A store that commands look at and operate from outside, without a worker."""

import asyncio
import re
import sys
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TypeVar
from urllib.parse import unquote, urlsplit

import typer

from atode import settings
from atode.broker.protocol import Broker, Inspect
from atode.cli._layout import plain
from atode.cli._suggestion import suggestion
from atode.clock import Clock, SystemClock
from atode.errors import AtodeError, BadOption, BrokerError, BrokerRefused, BrokerUnavailable
from atode.statistics import QueueStats
from atode.stores import broker_for, sqlite_file

T = TypeVar("T")

REFUSED = 1
BAD_INPUT = 2


class Deployment:
    """An open store, for code that is not asynchronous."""

    def __init__(self, url: str, broker: Broker, clock: Clock, runner: asyncio.Runner) -> None:
        self.url = url
        self.clock = clock
        self._broker = broker
        self._runner = runner

    def now(self) -> float:
        """The present instant in Unix seconds."""
        return self.clock.now()

    def ask(self, question: Callable[[Broker], Coroutine[Any, Any, T]]) -> T:
        """What `question` finds out.

        Raises:
            BrokerUnavailable, BrokerRefused: the store's; also for an answer that makes no sense.
            BadOption: the question's own.
        """
        try:
            return self._runner.run(question(self._broker))
        except AtodeError:
            raise
        except Exception as error:
            raise BrokerRefused(
                f"what is stored cannot be read ({type(error).__name__}: {error})"
            ) from error


@contextmanager
def deployment(
    url: str | None, *, opened: bool = True, unreachable: int = REFUSED
) -> Generator[Deployment, None, None]:
    """Open the store that `url` or the settings name, unless it is wanted as it is; for errors
    see `explained`."""
    with explained(url or "", unreachable=unreachable) as urls:
        found = settings.load(url=url).url
        urls.append(found)
        clock = SystemClock()
        broker = broker_for(found, clock)
        must_exist(found)
        with asyncio.Runner() as runner:
            try:
                if opened:
                    runner.run(broker.open())
                yield Deployment(found, broker, clock, runner)
            finally:
                with suppress(AtodeError):
                    runner.run(broker.close())


@contextmanager
def explained(*urls: str, unreachable: int = REFUSED) -> Generator[list[str], None, None]:
    """Let every error become one line on standard error, without a password of these URLs, and
    an exit code: `unreachable` where a store cannot be reached or says no, 2 where the input is
    wrong. Callers add the URLs that they find."""
    known = list(urls)
    try:
        yield known
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except AtodeError as error:
        complain(error, *known)
        raise typer.Exit(unreachable if isinstance(error, BrokerError) else BAD_INPUT) from None


def complain(error: AtodeError, *urls: str) -> None:
    """Say in one line what is wrong."""
    text = " ".join(str(error).split())
    typer.echo(f"atode: {plain(without_password(text, *urls))}", err=True)


def without_password(text: str, *urls: str) -> str:
    """The text, with stars where a URL's password was quoted."""
    for url in urls:
        credentials, at, _ = url.partition("://")[2].rpartition("@")
        password = credentials.partition(":")[2] if at else ""
        found = re.search(r"[?&]password=([^&#]*)", url)
        given = {password, found[1] if found else ""}
        for secret in (given | set(map(unquote, given))) - {""}:
            # As a word of its own: a short password is part of many others.
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "***", text)
    return text


def refuse(reason: str) -> NoReturn:
    """End the command: it is understood, and not possible."""
    raise BrokerRefused(reason)


def confirm(question: str, *, yes: bool) -> None:
    """Go on only if the user agrees.

    Raises:
        BrokerRefused: he does not, or there is nobody to ask.
    """
    if yes:
        return
    try:
        agreed = typer.confirm(plain(question), err=True)
    except typer.Abort:
        agreed = False
    if not sys.stdin.isatty():
        typer.echo(err=True)  # Nobody has ended the question's line.
    if not agreed:
        refuse("nothing was changed")


async def existing(broker: Inspect, queue: str) -> QueueStats:
    """How the queue stands.

    Raises:
        BadOption: there is none of this name; the text has those that look like it.
    """
    stats = await broker.stats(queue)
    if stats is None:
        names = await broker.queues()
        raise BadOption(f"there is no queue {queue!r}{_hint(queue, names)}")
    return stats


async def unless_broken(question: Coroutine[Any, Any, T]) -> T | BrokerRefused:
    """The answer, or why there is none; only a store that is away raises."""
    try:
        return await question
    except BrokerUnavailable:
        raise
    except BrokerRefused as error:
        return error
    except Exception as error:
        return BrokerRefused(f"cannot be read ({type(error).__name__}: {error})")


def _hint(name: str, known: Sequence[str]) -> str:
    if hint := suggestion(name, known, likeness=0.5):
        return hint
    if not known:
        return "; no queue has been used yet"
    more = ", …" if len(known) > 5 else ""
    return f"; there are {', '.join(known[:5])}{more}"


def must_exist(url: str) -> None:
    """Raise BrokerUnavailable if this is the URL of a file that is not there."""
    # A worker makes its database. Who only looks has mistyped the name of another one.
    if urlsplit(url).scheme == "sqlite" and not (path := sqlite_file(url)).exists():
        raise BrokerUnavailable(
            f"there is no database {str(path)!r} (--url, ATODE_URL or atode.toml): no job has "
            "been stored in it yet, or it has another name"
        )
