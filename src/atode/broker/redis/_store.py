"""What every part of the Redis broker stands on."""

from atode.broker.redis._link import Link
from atode.clock import Clock


class Store:
    """Redis as one broker sees it: a way to call it, and the time."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock
