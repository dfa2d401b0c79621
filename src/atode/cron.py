"""Schedules: at which instants does `0 9 * * MON`, or `@every 30s`, fire?

Pure: no clock is read, and the same text gives the same ticks on every machine.

The rule for daylight saving is that of Debian's cron. A schedule with a `*` in hour or minute
follows real time. Every other one names times of day, and fires when the wall clock first shows
such a time or, where the clock jumps over it, at the jump: once on every day, neither left out
nor doubled. Unlike in Debian's, that holds for jumps of three hours and more, too; only dates
that a country has left out by crossing the date line are gone with their ticks.
"""

import math
import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from atode.duration import TEN_YEARS
from atode.errors import BadOption, BadSchedule
from atode.expression import DAY, Expression
from atode.wall_clock import WallClock, time_zone

_END = 253_339_228_800
"""9998-01-01 UTC. Ticks lie between 1970 and here."""

_LONGEST_TEXT = 500
_PREFIX = re.compile(r"(?:CRON_)?TZ=(\S*)\s*(.*)", re.DOTALL)
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_UNITS = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),  # U+00B5, micro sign
    "μs": Fraction(1, 10**6),  # U+03BC, Greek letter
    "ms": Fraction(1, 10**3),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")


class _Ticks(Protocol):
    def first(self, instant: int) -> int | None:
        """The first tick from `instant` on, itself included."""
        ...


@dataclass(frozen=True, slots=True)
class Cron:
    """The ticks of one schedule, as Unix seconds.

    >>> mondays = Cron.parse("0 9 * * MON", timezone="Asia/Tokyo")
    >>> mondays.after(1_767_225_600)          # Thursday 2026-01-01 09:00 in Tokyo
    1767571200.0
    >>> str(mondays)
    'CRON_TZ=Asia/Tokyo 0 9 * * MON'

    Two with the same text and time zone are equal.
    """

    spec: str
    """The expression without its time zone."""
    timezone: str
    """The zone whose clocks count; `UTC` for `@every`, which does not depend on one."""
    _ticks: _Ticks = field(repr=False, compare=False)

    @classmethod
    def parse(cls, spec: str, timezone: str | None = None) -> "Cron":
        """From an expression of five fields, six with leading seconds, `@daily`, `@every 1h30m`.

        `timezone` is a name such as `Asia/Tokyo`; the expression may also begin with it, as in
        `TZ=Asia/Tokyo 0 9 * * *` (or `CRON_TZ=`). Without either it is UTC.

        `@every` fires at the multiples of its period since the beginning of 1970 UTC, so that
        all workers agree: `@every 1h` on the hour. The period is from one second to ten years,
        in whole seconds.

        Raises:
            BadSchedule: it cannot be understood, never fires, or the time zone is unknown; the
                text says what is wrong with which field.
        """
        if not isinstance(spec, str) or len(spec) > _LONGEST_TEXT:
            raise BadSchedule(spec, f"it must be a text of up to {_LONGEST_TEXT} characters")
        try:
            name, text = _zoned(spec, timezone)
            if text.startswith("@every"):
                time_zone(name)
                return cls(text, "UTC", _Every(_period(text)))
            expression = Expression.parse(_fields(text))
            clock = WallClock(time_zone(name))
            ticks = (_RealTime if expression.real_time else _TimesOfDay)(expression, clock)
            return cls(text, name, ticks)
        except BadOption as problem:
            raise BadSchedule(spec, str(problem)) from None

    def __str__(self) -> str:
        """As asynq has it: `CRON_TZ=Asia/Tokyo 0 9 * * MON`, without a prefix for UTC."""
        return self.spec if self.timezone == "UTC" else f"CRON_TZ={self.timezone} {self.spec}"

    def after(self, instant: float) -> float | None:
        """The first tick later than `instant`; None if there is none before the year 9998."""
        if not instant < _END:
            return None
        tick = self._ticks.first(math.floor(max(instant, -1)) + 1)
        return None if tick is None or tick >= _END else float(tick)

    def before(self, instant: float) -> float | None:
        """The last tick earlier than `instant`; None if there is none since 1970."""
        instant = min(_END, instant)
        reach = 1
        while (tick := self._within(instant - reach, instant)) is None:
            if reach > instant:
                return None
            reach *= 2
        # Looking forward only, so that the rules for clocks that are put stand in one place.
        low, high = tick, math.ceil(instant)
        while high - low > 1:
            middle = (low + high) // 2
            tick = self._within(middle - 1, instant)
            low, high = (low, middle) if tick is None else (tick, high)
        return float(low)

    def next(self, n: int, after: float) -> list[float]:
        """The first `n` ticks later than `after`, ascending; fewer where the calendar ends."""
        found: list[float] = []
        while len(found) < n and (tick := self.after(found[-1] if found else after)) is not None:
            found.append(tick)
        return found

    def due(self, since: float, until: float, limit: int) -> list[float]:
        """The ticks later than `since` up to and including `until`, ascending.

        Where there are more than `limit`, the latest ones.
        """
        found: list[float] = []
        tick = self.before(math.nextafter(until, math.inf))
        while tick is not None and tick > since and len(found) < limit:
            found.append(tick)
            tick = self.before(tick)
        return found[::-1]

    def _within(self, after: float, before: float) -> int | None:
        """The first tick between these two, excluded both."""
        tick = self.after(after)
        return None if tick is None or tick >= before else int(tick)


@dataclass(frozen=True, slots=True)
class _Every:
    """The multiples of `period` seconds."""

    period: int

    def first(self, instant: int) -> int:
        return -(-instant // self.period) * self.period


@dataclass(frozen=True, slots=True)
class _TimesOfDay:
    """Each local time that fits, once: when the clock first shows it, or has jumped over it."""

    expression: Expression
    clock: WallClock

    def first(self, instant: int) -> int | None:
        local = self.expression.first(self.clock.has_shown(instant - 1) + 1)
        while local is not None:
            tick = self.clock.first_shows(local)
            shown = self.clock.shows(tick)
            if shown == local or shown - self.clock.shows(tick - 1) <= DAY:
                return tick
            # A whole date that never was.
            local = self.expression.first(shown)
        return None


@dataclass(frozen=True, slots=True)
class _RealTime:
    """Every instant at which the clock shows a local time that fits."""

    expression: Expression
    clock: WallClock

    def first(self, instant: int) -> int | None:
        while instant < _END:
            ahead = self.clock.ahead(instant)
            local = self.expression.first(instant + ahead)
            if local is None:
                return None
            tick = local - ahead
            put = self.clock.put(instant, min(tick, instant + DAY))
            if put is None and tick <= instant + DAY:
                return tick
            # From where the clock is put, or from shortly before the tick: no clock is ever put
            # by more than 26 hours, so nothing fits before that.
            instant = max(instant + DAY, tick - 2 * DAY) if put is None else put
        return None


def _zoned(spec: str, timezone: str | None) -> tuple[str, str]:
    """The name of the time zone, and the rest, with single spaces."""
    prefixed = _PREFIX.fullmatch(spec.strip())
    inside, text = prefixed.groups() if prefixed else (None, spec)
    if inside is not None and timezone is not None and inside != timezone:
        raise BadOption(f"it says time zone {inside!r}, and timezone= says {timezone!r}; drop one")
    name = timezone if inside is None else inside
    return "UTC" if name is None else name, " ".join(text.split())


def _fields(text: str) -> str:
    if text.startswith("@") and text not in _MACROS:
        known = " ".join(_MACROS)
        raise BadOption(f"{text!r} is none of {known}, and not of the form '@every 1h30m'")
    return _MACROS.get(text, text)


def _period(text: str) -> int:
    """The seconds of `@every 1h30m`, a Go duration."""
    duration = text.removeprefix("@every").strip()
    parts = _PART.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise BadOption(f"duration {duration!r} must be like '30s', '1h30m' or '1.5h'")
    period = sum(Fraction(f"0{number}") * _UNITS[unit] for number, unit in parts)
    if period.denominator != 1 or not 1 <= period <= TEN_YEARS:
        raise BadOption(
            f"duration {duration!r} is {float(period):g} s; it must be from 1 to {TEN_YEARS:,.0f} "
            "whole seconds"
        )
    return int(period)
