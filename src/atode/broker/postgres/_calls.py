"""When to tell others: at once, but never more often than they can make use of."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._bell import Bell, Kind, News
from atode.broker.postgres._link import Link
from atode.errors import BrokerError

# Commits with a notification wait for each other, which halves the speed of many small
# transactions. So of the news of one queue within so many seconds, the first goes with its
# commit, and what follows goes together at the end.
_PAUSE = 0.005


class Call(NamedTuple):
    """News that a statement makes true."""

    news: Sequence[News]
    words: Sequence[str]
    """What is to be sent with the statement."""
    held: Sequence[News]
    """What is to be sent a little later."""


class Calls:
    """Decides which news go with a statement; the others go a few milliseconds later."""

    def __init__(self, link: Link, bell: Bell) -> None:
        self._link = link
        self._bell = bell
        self._quiet_until: dict[tuple[Kind, str], float] = {}
        self._later: dict[tuple[Kind, str], News] = {}
        self._sending: asyncio.Task[None] | None = None

    def call(self, news: Sequence[News]) -> Call:
        """What to send with the statement that makes these news true, and what not yet."""
        now = asyncio.get_running_loop().time()
        words: list[str] = []
        held: list[News] = []
        for each in news:
            about = each.kind, each.queue
            if self._quiet_until.get(about, 0.0) <= now:
                self._quiet_until[about] = now + _PAUSE
                words.append(each.word)
            else:
                held.append(each)
        return Call(news, words, held)

    def told(self, call: Call) -> None:
        """The statement is committed: what was held back is true from now on, not before."""
        for each in call.news:
            self._bell.hear(each)
        for each in call.held:
            about = each.kind, each.queue
            if about not in self._later or each.due < self._later[about].due:
                self._later[about] = each
        if self._later and self._sending is None:
            self._sending = asyncio.create_task(self._send_later())

    async def flush(self) -> None:
        """Send what is still to be sent."""
        while self._sending is not None:
            await asyncio.wait((self._sending,))

    async def _send_later(self) -> None:
        try:
            while self._later:
                await asyncio.sleep(_PAUSE)
                later, self._later = self._later, {}
                # Who is not told looks for himself within seconds.
                with suppress(BrokerError):
                    words = [news.word for news in later.values()]
                    await self._link.rows(sql.NOTIFY, self._link.address.channel, words)
        finally:
            self._sending = None
