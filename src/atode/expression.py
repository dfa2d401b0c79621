"""Cron expressions: which days and which times of day five or six fields stand for.

No time zones here. A local time is the number of seconds since a wall clock showed 1970-01-01
00:00, had it never been put; when that clock shows it is the matter of `wall_clock.py`.

What asynq's parser (robfig's version 3) takes means the same here, see the protocol document,
section 12.1. Beyond it: a leading field for seconds, 7 for Sunday, and `L`, `W` and `#`.
"""

import re
from bisect import bisect_left
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from atode.errors import BadOption

DAY = 86_400
LAST_YEAR = 9998
"""Python's calendar ends a year later, and time zones need room at the end."""

_EPOCH = date(1970, 1, 1).toordinal()
_EVERY = ("*", "?")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class _Shape(NamedTuple):
    """All that days depend on, as `calendar.monthrange` has it: there are 28 kinds of months."""

    start: int
    """Weekday of the first, Monday = 0."""
    length: int

    def weekday(self, day: int) -> int:
        """Sunday = 0, as in cron."""
        return (self.start + day) % 7

    def working_day(self, day: int) -> int:
        """`day`, or the Monday to Friday of the same month that is closest to it."""
        match self.weekday(day):
            case 6:
                return day - 1 if day > 1 else day + 2
            case 0:
                return day + 1 if day < self.length else day - 2
            case _:
                return day


_SHAPES = [_Shape(start, length) for start in range(7) for length in range(28, 32)]

_Days = Callable[[_Shape], set[int]]
"""The days of one kind of month that an item stands for."""


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    low: int
    high: int
    names: Sequence[str] = ()
    also: int | None = None
    """One more number for `low`: 7 is Sunday, too."""

    def numbers(self, item: str) -> set[int]:
        """What `5`, `MON`, `1-5`, `*/2`, `1-5/2` or `5/2` stands for."""
        span, slash, step = item.partition("/")
        start, dash, end = span.partition("-")
        if span in _EVERY:
            first, last = self.low, self.high
        else:
            first = self.number(start, item)
            # Without an end, a step runs to the end of the field.
            last = max(first, self.high) if slash else first
            last = self.number(end, item) if dash else last
        if first > last:
            raise BadOption(
                f"{self.name} {item}: the range ends before it begins; "
                f"write the two parts with a comma, as in {self.high - 1}-{self.high},{self.low}"
            )
        found = set(range(first, last + 1, self._step(step, item) if slash else 1))
        return {self.low if number == self.also else number for number in found}

    def number(self, text: str, item: str) -> int:
        """The number that `text`, a part of `item`, is or names."""
        if text.upper() in self.names:
            return self.low + self.names.index(text.upper())
        if not (text.isascii() and text.isdigit()):
            names = f" or one of {' '.join(self.names)}" if self.names else ""
            raise BadOption(f"{self.name} {item!r} has {text!r} where a number{names} must be")
        top = self.high if self.also is None else self.also
        if not self.low <= int(text) <= top:
            raise BadOption(f"{self.name} {int(text)} is out of {self.low} to {top}")
        return int(text)

    def _step(self, text: str, item: str) -> int:
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            raise BadOption(f"{self.name} {item!r}: the step must be a whole number from 1")
        return int(text)


_SECOND = _Field("second", 0, 59)
_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_DAY = _Field("day of month", 1, 31)
_EARLY = _Field("days before the last (L-)", 1, 30)
_MONTH = _Field("month", 1, 12, _MONTHS)
_WEEKDAY = _Field("day of week", 0, 6, _WEEKDAYS, also=7)
_WEEK = _Field("week of month (#)", 1, 5)


@dataclass(frozen=True, slots=True)
class Expression:
    """Five or six fields, understood.

    >>> noon = Expression.parse("0 12 * * *")
    >>> noon.first(0)
    43200
    """

    seconds: Sequence[int]
    minutes: Sequence[int]
    hours: Sequence[int]
    months: Sequence[int]
    days: Mapping[tuple[int, int], Sequence[int]]
    """For each kind of month (see `calendar.monthrange`), the days, ascending."""
    real_time: bool
    """A `*` stands in hour or minute: such a schedule follows real time where clocks are put."""

    @classmethod
    def parse(cls, text: str) -> "Expression":
        """From `minute hour day-of-month month day-of-week`, with or without leading seconds.

        Raises:
            BadOption: a number of fields other than five or six, a value out of its field's
                range, a date that never comes.
        """
        fields = text.split()
        if len(fields) not in (5, 6):
            raise BadOption(
                f"{len(fields)} fields; it must have five (minute, hour, day of month, month, "
                "day of week), or six with leading seconds"
            )
        second, minute, hour, day, month, weekday = ["0", *fields][-6:]
        found = cls(
            _numbers(_SECOND, second),
            _numbers(_MINUTE, minute),
            _numbers(_HOUR, hour),
            _numbers(_MONTH, month),
            _days(day, weekday),
            any(item.startswith(_EVERY) for item in f"{minute},{hour}".split(",")),
        )
        if not found._comes():
            raise BadOption(
                f"its date never comes: day of month {day}, month {month}, day of week {weekday}"
            )
        return found

    def first(self, local: int) -> int | None:
        """The first local time from `local` on, `local` included; None after the year 9998."""
        day, second = divmod(local, DAY)
        on = self._date(day)
        if on == day and (time := self._time(second)) is not None:
            return day * DAY + time
        on = self._date(day + 1) if on == day else on
        time = self._time(0)
        return None if on is None or time is None else on * DAY + time

    def _time(self, from_second: int) -> int | None:
        """The first second of the day that fits, from one on."""
        hour, rest = divmod(from_second, 3600)
        minute, second = divmod(rest, 60)
        for h in _from(self.hours, hour):
            for m in _from(self.minutes, minute if h == hour else 0):
                for s in _from(self.seconds, second if (h, m) == (hour, minute) else 0):
                    return h * 3600 + m * 60 + s
        return None

    def _date(self, from_day: int) -> int | None:
        """The first day that fits, from one on, both counted from 1970-01-01."""
        start = date.fromordinal(_EPOCH + from_day)
        year, month, earliest = start.year, start.month, start.day
        while year <= LAST_YEAR:
            if month in self.months:
                for day in _from(self.days[monthrange(year, month)], earliest):
                    return date(year, month, day).toordinal() - _EPOCH
            year, month, earliest = year + month // 12, month % 12 + 1, 1
        return None

    def _comes(self) -> bool:
        # In the 400 years of the calendar, every month of every length begins on every weekday.
        lengths = {monthrange(year, month)[1] for month in self.months for year in (2000, 2001)}
        return any(self.days[shape] for shape in _SHAPES if shape.length in lengths)


def _from(numbers: Sequence[int], lowest: int) -> Iterator[int]:
    for index in range(bisect_left(numbers, lowest), len(numbers)):
        yield numbers[index]


def _items(field: _Field, text: str) -> Sequence[str]:
    items = text.split(",")
    if "" in items:
        raise BadOption(f"{field.name} {text!r} has nothing before or after a comma")
    return items


def _numbers(field: _Field, text: str) -> Sequence[int]:
    return sorted({number for item in _items(field, text) for number in field.numbers(item)})


def _days(day: str, weekday: str) -> Mapping[tuple[int, int], Sequence[int]]:
    """The days of every kind of month.

    Where both fields are restricted, a day has to fit one of them, otherwise both.
    """
    by_day = [_day_of_month(item) for item in _items(_DAY, day)]
    by_weekday = [_day_of_week(item) for item in _items(_WEEKDAY, weekday)]
    either = _restricted(day) and _restricted(weekday)
    found: dict[tuple[int, int], Sequence[int]] = {}
    for shape in _SHAPES:
        fit_day = {number for days in by_day for number in days(shape)}
        fit_weekday = {number for days in by_weekday for number in days(shape)}
        fit = fit_day | fit_weekday if either else fit_day & fit_weekday
        found[shape] = sorted(fit & set(range(1, shape.length + 1)))
    return found


def _restricted(text: str) -> bool:
    """As in robfig's parser `*/2` is a restriction; in Vixie's cron it is none."""
    unrestricted = {*_EVERY, *(f"{sign}/1" for sign in _EVERY)}
    return not unrestricted & set(text.split(","))


def _day_of_month(item: str) -> _Days:
    upper = item.upper()
    if upper == "LW":
        return lambda month: {month.working_day(month.length)}
    if upper == "L":
        return lambda month: {month.length}
    if upper.startswith("L-"):
        early = _EARLY.number(upper[2:], item)
        return lambda month: {month.length - early}
    if upper.endswith("W"):
        near = _DAY.number(upper[:-1], item)
        return lambda month: {month.working_day(near)} if near <= month.length else set()
    numbers = _DAY.numbers(item)
    return lambda month: numbers


def _day_of_week(item: str) -> _Days:
    """`MON#2` is the second Monday of the month, `FRIL` its last Friday."""
    nth = re.fullmatch("(.+)#(.*)", item)
    last = re.fullmatch("(.+)L", item.upper())
    if nth:
        week = _WEEK.number(nth[2], item)
        weekdays, days = _WEEKDAY.numbers(nth[1]), range(week * 7 - 6, week * 7 + 1)
        return lambda month: {day for day in days if month.weekday(day) in weekdays}
    weekdays = _WEEKDAY.numbers(last[1] if last else item)
    weeks = 1 if last else 5
    return lambda month: {
        day
        for day in range(max(1, month.length - weeks * 7 + 1), month.length + 1)
        if month.weekday(day) in weekdays
    }
