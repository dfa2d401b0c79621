"""What time it is."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The time on the wall."""

    def now(self) -> datetime:
        """The present in local time."""
        ...


class WallClock:
    """The machine's clock and time zone."""

    def now(self) -> datetime:
        return datetime.now().astimezone()
