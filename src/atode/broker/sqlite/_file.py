"""What every part of the SQLite broker stands on."""

from atode.broker.sqlite._writer import Writer
from atode.clock import Clock


class File:
    """The file as one broker sees it: who runs commands on it, and the time."""

    def __init__(self, writer: Writer, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
