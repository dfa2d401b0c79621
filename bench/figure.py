"""One measured number."""

import math
from collections.abc import Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """What was measured, in which unit, and the number; a reason if it must not be quoted."""

    name: str
    unit: str
    value: float
    void: str = ""


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of them do not exceed; NaN for no values."""
    if not values:
        return math.nan
    return sorted(values)[max(math.ceil(len(values) * percent / 100), 1) - 1]
