"""Durations as users write them: seconds, or a timedelta."""

import math
from datetime import timedelta
from typing import cast

from atode.errors import BadOption

Duration = float | timedelta

TEN_YEARS = 315_360_000.0


def seconds(
    value: Duration, name: str, *, at_least: float = 0.0, at_most: float = TEN_YEARS
) -> float:
    """`value` in seconds.

    Raises:
        BadOption: it is not a number or timedelta, or lies outside `at_least` to `at_most`.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, timedelta)):
        raise BadOption(f"{name} is {value!r}; it must be a number of seconds or a timedelta")
    try:
        amount = value.total_seconds() if isinstance(value, timedelta) else float(value)
    except OverflowError:
        amount = math.inf if cast(int, value) > 0 else -math.inf
    if not math.isfinite(amount) or not at_least <= amount <= at_most:
        raise BadOption(
            f"{name} is {amount:g} s; it must be from {at_least:,.0f} to {at_most:,.0f} s"
        )
    return amount
