"""What every part of the PostgreSQL broker stands on."""

from collections.abc import Sequence

from atode.broker.postgres._bell import Bell, News
from atode.broker.postgres._calls import Calls
from atode.broker.postgres._link import Link, Rows
from atode.broker.postgres._marks import Marks
from atode.clock import Clock, SystemClock


class Store:
    """The database as one broker sees it: a way to call it, the time, and whom to tell."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
        self._bell = Bell(link)
        self._calls = Calls(link, self._bell)
        self._lines = Marks()

    def _now(self) -> float | None:
        """The instant to tell the database; None: it knows better.

        Clocks of machines differ. All that is compared with the present is compared with the
        database's clock, unless somebody has set another one, such as a test.
        """
        return None if isinstance(self._clock, SystemClock) else self._clock.now()

    async def _telling(self, news: Sequence[News], statement: str, *values: object) -> Rows:
        """Run a statement that ends with channel and words, and wake whom it concerns."""
        call = self._calls.call(news)
        channel = self._link.address.channel
        rows = await self._link.rows(statement, *values, channel, call.words)
        self._calls.told(call)
        return rows
