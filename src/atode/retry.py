"""Retry policies: how often, after which delay, and which errors are beyond hope."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from atode.duration import TEN_YEARS, Duration, seconds
from atode.errors import BadOption, Permanent

Curve = Callable[[int], float]
"""Retries used so far (0 for the first failure) → seconds until the next attempt."""

MOST_RETRIES = 2**31 - 1
"""asynq keeps the number in an int32."""


def _spread(jitter: float) -> Callable[[], float]:
    if not 0 <= jitter <= 1:
        raise BadOption(f"jitter is {jitter}; it must be from 0 to 1")
    return (lambda: random.uniform(1 - jitter, 1 + jitter)) if jitter else (lambda: 1.0)


def exponential(
    first: Duration = 1, *, factor: float = 2.0, cap: Duration = 3600, jitter: float = 0.1
) -> Curve:
    """`first`, `first · factor`, `first · factor²` … up to `cap`, each ± `jitter` of itself."""
    start = seconds(first, "first")
    top = seconds(cap, "cap")
    if not factor >= 1:
        raise BadOption(f"factor is {factor}; it must be at least 1")
    spread = _spread(jitter)

    def delay(retried: int) -> float:
        try:
            pause = start * float(factor) ** retried
        except OverflowError:
            pause = top
        return min(top, pause) * spread()

    return delay


def fixed(delay: Duration, *, jitter: float = 0.0) -> Curve:
    """Always `delay` seconds, ± `jitter` of itself."""
    pause = seconds(delay, "delay")
    spread = _spread(jitter)
    return lambda retried: pause * spread()


def asynq() -> Curve:
    """What Go's asynq does by default: `n⁴ + 15 + r·(n+1)` seconds, r from 0 to 29.

    From the protocol document, section 6.
    """
    return lambda retried: float(retried**4 + 15 + random.randrange(30) * (retried + 1))


_STANDARD = exponential()


@dataclass(frozen=True, slots=True)
class Retry:
    """`Retry(5)`: up to five retries after the first attempt, 1 s, 2 s, 4 s … apart.

    `give_up_on` names exception types that no retry will cure: such a job is archived at once.
    """

    times: int = 25
    delay: Curve = _STANDARD
    give_up_on: tuple[type[Exception], ...] = ()

    def __post_init__(self) -> None:
        checked_retries(self.times)
        if not callable(self.delay):
            raise BadOption(
                f"delay is {self.delay!r}; it must be a curve, such as fixed(10) or exponential()"
            )
        if not _are_exceptions(self.give_up_on):
            raise BadOption(
                f"give_up_on is {self.give_up_on!r}; it must be a tuple of exception types, "
                "such as (ValueError,)"
            )

    def pause(self, retried: int) -> float:
        """Seconds until the next attempt after `retried` retries: from 0 to ten years.

        Raises:
            BadOption: the curve gives no finite number.
        """
        pause = self.delay(retried)
        if not math.isfinite(pause):
            raise BadOption(f"the delay after {retried} retries is {pause}; it must be finite")
        return min(max(pause, 0.0), TEN_YEARS)

    def is_permanent(self, error: BaseException) -> bool:
        """Whether a failure with `error` must not be retried."""
        return isinstance(error, (Permanent, *self.give_up_on))


def _are_exceptions(kinds: object) -> bool:
    return isinstance(kinds, tuple) and all(
        isinstance(kind, type) and issubclass(kind, BaseException)
        for kind in cast("tuple[object, ...]", kinds)
    )


def checked_retries(times: int) -> int:
    """`times`, if it can be a number of retries; otherwise BadOption."""
    if isinstance(times, bool) or not isinstance(times, int) or not 0 <= times <= MOST_RETRIES:
        raise BadOption(
            f"max_retry is {times!r}; it must be a whole number from 0 to {MOST_RETRIES:,}"
        )
    return times
