"""How many values were how large."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

# Seconds, from what an event loop takes for nothing to what an operator calls long.
BOUNDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600)


class Histogram:
    """Counts of durations in seconds, by the bounds that they do not exceed."""

    __slots__ = ("_counts", "total")

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0
        """All values together."""

    def add(self, seconds: Sequence[float]) -> None:
        """Count values; those below zero, as clocks that are put back make them, are zero."""
        counts = self._counts
        for value in seconds:
            counts[bisect_left(BOUNDS, value)] += 1
        self.total += sum(value for value in seconds if value > 0)

    def buckets(self) -> Sequence[tuple[str, float]]:
        """For each bound, as Prometheus writes it, how many values were not above it."""
        bounds = [*map(str, map(float, BOUNDS)), "+Inf"]
        return list(zip(bounds, accumulate(self._counts), strict=True))
