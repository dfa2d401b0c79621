"""When a schedule fires, and what becomes of its ticks: the options of a schedule, checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal, TypedDict, TypeVar

from atode.cron import Cron
from atode.duration import Duration, seconds
from atode.errors import BadOption
from atode.task import refuse_unknown
from atode.ticks import MOST_MISSED, CatchUp, jitter, ticks_to_run
from atode.wall_clock import time_zone


class Overlap(StrEnum):
    """What becomes of a tick while the job of an earlier one is unfinished."""

    ALLOW = "allow"
    """Its job is stored; both may run at the same time."""
    SKIP = "skip"
    """It becomes no job."""


class TimingOptions(TypedDict, total=False):
    """When a schedule fires, beyond its expression."""

    timezone: str
    """The zone whose clocks count, such as `Asia/Tokyo`; UTC if nothing is said."""
    catch_up: CatchUp | Literal["none", "latest", "all"]
    """What becomes of the ticks that passed while no worker was there: no jobs, one for the
    latest (if nothing is said), or one for each."""
    catch_up_limit: int
    """With `all`, at most so many, the latest ones: 1 to 1,000; 100 if nothing is said."""
    grace: Duration
    """With `none`, for how long a tick still counts as in time; a minute if nothing is said."""
    overlap: Overlap | Literal["allow", "skip"]
    """Whether a tick becomes a job while the job of an earlier one is unfinished: pending,
    delayed, running or waiting for a retry. It does if nothing is said."""
    jitter: Duration
    """Each job starts up to so many seconds after its tick, none if nothing is said."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When a schedule fires, and which of its ticks become jobs. Durations in seconds."""

    cron: Cron
    catch_up: CatchUp = CatchUp.LATEST
    catch_up_limit: int = 100
    grace: float = 60.0
    overlap: Overlap = Overlap.ALLOW
    jitter: float = 0.0

    @classmethod
    def of(cls, cron: str, options: Mapping[str, Any]) -> "Timing":
        """From an expression and `TimingOptions`.

        Raises:
            BadSchedule: the expression cannot be understood or never fires, or the time zone
                is unknown.
            BadOption: an option is out of its range, or unknown, or two exclude each other.
        """
        refuse_unknown(options.keys(), TimingOptions)
        timing = cls(
            _parsed(cron, options.get("timezone")),
            _one_of(CatchUp, options.get("catch_up", CatchUp.LATEST), "catch_up"),
            _limit(options.get("catch_up_limit", 100)),
            seconds(options.get("grace", 60.0), "grace"),
            _one_of(Overlap, options.get("overlap", Overlap.ALLOW), "overlap"),
            seconds(options.get("jitter", 0.0), "jitter"),
        )
        if timing.catch_up is CatchUp.ALL and timing.overlap is Overlap.SKIP:
            raise BadOption(
                "catch_up='all' wants a job for each missed tick, and overlap='skip' drops all "
                "but the first of them; take catch_up='latest', or overlap='allow'"
            )
        return timing

    @property
    def zone(self) -> tzinfo:
        """The zone whose clocks count."""
        return time_zone(self.cron.timezone)

    def local(self, instant: float) -> datetime:
        """An instant as the schedule's clocks show it."""
        return datetime.fromtimestamp(instant, UTC).astimezone(self.zone)

    def due(self, last: float, now: float) -> Sequence[float]:
        """The ticks after `last` that become jobs now, ascending."""
        return ticks_to_run(
            self.cron, last, now, self.catch_up, grace=self.grace, limit=self.catch_up_limit
        )

    def delay(self, schedule: str, tick: float) -> float:
        """Seconds after its tick at which the job starts."""
        return jitter(schedule, tick, self.jitter) if self.jitter else 0.0

    def options(self) -> dict[str, Any]:
        """What `of` makes the same timing from, beside the expression, as plain values."""
        return {
            "timezone": self.cron.timezone,
            "catch_up": self.catch_up.value,
            "catch_up_limit": self.catch_up_limit,
            "grace": self.grace,
            "overlap": self.overlap.value,
            "jitter": self.jitter,
        }


def _parsed(cron: Any, timezone: Any) -> Cron:
    # Thousands of schedules share a few expressions, and reading one takes a millisecond.
    if isinstance(cron, str) and isinstance(timezone, str | None):
        return _known(cron, timezone)
    return Cron.parse(cron, timezone)


_known = lru_cache(maxsize=10_000)(Cron.parse)

Word = TypeVar("Word", bound=StrEnum)


def _one_of(words: type[Word], given: Any, name: str) -> Word:
    try:
        return words(given)
    except ValueError:
        known = ", ".join(repr(word.value) for word in words)
        raise BadOption(f"{name} is {given!r:.80}; it must be one of {known}") from None


def _limit(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= MOST_MISSED:
        raise BadOption(f"catch_up_limit is {given!r:.80}; it must be from 1 to {MOST_MISSED:,}")
    return given
