"""How a broker hears of other programs' commits: LISTEN, and who sleeps beside it."""

import asyncio
import logging
import math
import secrets
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Literal, NamedTuple

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._link import Connection, Link
from atode.clock import Clock
from atode.errors import BrokerError

Kind = Literal["pending", "due", "cancel", "schedules"]

LOOK_EVERY = 0.2
"""Seconds between looks of a sleeper to whom nothing is told."""

# Seconds within which our own call must be heard by ourselves, the first time and the last.
_ECHOES = (1.0, 5.0)
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0

_log = logging.getLogger("atode.broker.postgres")


class News(NamedTuple):
    """A queue has a pending job, one that is due at an instant, or a running one that was
    cancelled; or, in no queue, definitions of schedules have changed."""

    kind: Kind
    queue: str
    due: float = 0.0

    @property
    def word(self) -> str:
        """What is sent for it."""
        if self.kind == "due":
            return f"d{self.due!r} {self.queue}"
        return f"{self.kind[0]}{self.queue}"


def news_in(word: str) -> News | None:
    """What a word means; None if it is none of ours."""
    if word.startswith("p"):
        return News("pending", word[1:])
    if word.startswith("c"):
        return News("cancel", word[1:])
    if word.startswith("s"):
        return News("schedules", word[1:])
    due, space, queue = word[1:].partition(" ")
    if not (word.startswith("d") and space):
        return None
    try:
        return News("due", queue, float(due))
    except ValueError:
        return None


class Sleeper:
    """Who waits for news of queues that are due before an instant, but not beyond an alarm."""

    def __init__(
        self, kind: Kind, queues: Iterable[str], before: float, alarm: asyncio.Future[None]
    ) -> None:
        self._kind = kind
        self._queues = frozenset(queues)
        self._before = before
        self._alarm = alarm
        self._woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def is_up(self) -> bool:
        """Whether its time is up."""
        return self._alarm.done()

    async def sleep(self, at_most: float) -> bool:
        """Sleep until woken, until the alarm, or for so many seconds; whether it was woken, now
        or since its last sleep."""
        await asyncio.wait(
            (self._alarm, self._woken),
            timeout=None if math.isinf(at_most) else at_most,
            return_when=asyncio.FIRST_COMPLETED,
        )
        was_woken = self._woken.done()
        if was_woken:
            self._woken = asyncio.get_running_loop().create_future()
        return was_woken

    def hear(self, news: News) -> None:
        """Wake up if it is what was waited for."""
        if news.kind == self._kind and news.queue in self._queues and news.due < self._before:
            self.wake()

    def wake(self) -> None:
        """End this sleep, or the next one."""
        if not self._woken.done():
            self._woken.set_result(None)


class Bell:
    """Wakes sleepers when anybody tells news on the channel, on the event loop where it is used.

    Where LISTEN does not work (behind a pooler), it says so once, and sleepers look for
    themselves.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._channel = link.address.channel
        self._sleepers: set[Sleeper] = set()
        self._due: dict[str, float] = {}
        self._listening: asyncio.Task[None] | None = None
        self._hung = asyncio.Event()
        self._is_deaf = not link.address.listens
        self._echoes: dict[str, asyncio.Event] = {}

    @property
    def looks_every(self) -> float:
        """Seconds after which a sleeper should look for himself."""
        return math.inf if self._hung.is_set() and not self._is_deaf else LOOK_EVERY

    async def hang(self) -> None:
        """See that what is committed from now on is heard, if it can be."""
        if self._is_deaf:
            return
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
        if not self._hung.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hung.wait(), _ECHOES[0])

    async def take_down(self) -> None:
        """Stop listening, and let no sleeper wait for it."""
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.cancel()
            await asyncio.wait((listening,))
        self._wake_all()

    @asynccontextmanager
    async def sleeper(
        self,
        kind: Kind,
        queues: Sequence[str],
        until: float,
        clock: Clock,
        *,
        before: float = math.inf,
    ) -> AsyncGenerator[Sleeper]:
        """Somebody to be woken by news of these queues, and at the instant `until`.

        Whoever looks at the store before each sleep misses nothing: what is committed from here
        on is told.
        """
        await self.hang()
        alarm = asyncio.ensure_future(clock.sleep_until(until))
        sleeper = Sleeper(kind, queues, before, alarm)
        if kind == "due":
            for queue in queues:
                sleeper.hear(News(kind, queue, self._due.get(queue, math.inf)))
        self._sleepers.add(sleeper)
        try:
            yield sleeper
        finally:
            alarm.cancel()
            self._sleepers.discard(sleeper)

    def forget_due(self, queues: Sequence[str]) -> None:
        """What was told of due jobs until now is of no interest: the store will be looked at."""
        for queue in queues:
            self._due.pop(queue, None)

    def hear(self, news: News) -> None:
        """Wake whom it concerns."""
        if news.kind == "due":
            self._due[news.queue] = min(news.due, self._due.get(news.queue, math.inf))
        for sleeper in self._sleepers:
            sleeper.hear(news)

    async def _listen(self) -> None:
        pause = _FIRST_PAUSE
        while not self._is_deaf:
            try:
                await self._listen_once()
                pause = _FIRST_PAUSE
            except BrokerError:
                # Whoever calls meets the same error, and reports it.
                self._hung.clear()
                self._wake_all()
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    async def _listen_once(self) -> None:
        """Listen until the line breaks."""
        line = await self._link.line()
        broken = asyncio.Event()

        def ended(_: Connection) -> None:
            broken.set()

        try:
            line.add_termination_listener(ended)
            await self._link.guarded(lambda: line.add_listener(self._channel, self._heard))
            if not await self._hears_itself(broken):
                if not broken.is_set():
                    self._give_up()
                return
            self._hung.set()
            # What was told before the line was there nobody heard.
            self._wake_all()
            await broken.wait()
        finally:
            self._hung.clear()
            self._wake_all()
            line.terminate()

    async def _hears_itself(self, broken: asyncio.Event) -> bool:
        for patience in _ECHOES:
            # By way of another connection: behind a pooler that one is told, or nobody.
            word = f"e{secrets.token_hex(8)}"
            heard = self._echoes[word] = asyncio.Event()
            try:
                await self._link.rows(sql.NOTIFY, self._channel, [word])
                await _first_of(patience, heard, broken)
            finally:
                del self._echoes[word]
            if heard.is_set() or broken.is_set():
                return heard.is_set()
        return False

    def _give_up(self) -> None:
        self._is_deaf = True
        _log.warning(
            "PostgreSQL at %s does not pass on LISTEN and NOTIFY, as behind a pooler that gives "
            "each transaction another connection. Workers look for jobs every %g s instead; "
            "?listen=never in the URL says that this is known",
            self._link.address.place,
            LOOK_EVERY,
        )

    def _heard(self, _: Connection, __: int, ___: str, word: str) -> None:
        if echo := self._echoes.get(word):
            echo.set()
        elif news := news_in(word):
            self.hear(news)

    def _wake_all(self) -> None:
        for sleeper in self._sleepers:
            sleeper.wake()


async def _first_of(patience: float, *events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
