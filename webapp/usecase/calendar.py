"""Today, as those see it who write the reports."""

from datetime import datetime
from zoneinfo import ZoneInfo

from webapp.service.clock import Clock
from webapp.usecase.periods import last_month, last_week, month_of, week_of


class Calendar:
    """The calendar on the wall of an office in `zone`."""

    def __init__(self, clock: Clock, zone: ZoneInfo) -> None:
        self._clock = clock
        self._zone = zone

    def now(self) -> datetime:
        """The present instant."""
        return self._clock.now().astimezone(self._zone)

    def this_month(self) -> str:
        """`2026-11`"""
        return month_of(self._clock.now(), self._zone)

    def last_month(self) -> str:
        """`2026-10`"""
        return last_month(self._clock.now(), self._zone)

    def this_week(self) -> str:
        """`2026-W47`"""
        return week_of(self._clock.now(), self._zone)

    def last_week(self) -> str:
        """`2026-W46`"""
        return last_week(self._clock.now(), self._zone)
