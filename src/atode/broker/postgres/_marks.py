"""Low-water marks: where in an index to begin to look."""

import time
from collections.abc import Sequence

_LOWEST = float("-inf")

# A look from the very beginning is cheap if it takes no longer than this. Those that need not be
# may take up to this part of the time.
_CHEAP = 0.005
_SHARE = 1 / 20


class Marks:
    """Remembers, per queue, up to where everything is taken.

    While any session holds an old snapshot, the index keeps every entry that was ever taken, and
    a look from the beginning reads them all: claims get slower and slower. A look from a mark does
    not. What came later with an earlier place (a job that was handed back, a transaction that
    committed late) is found by looks from the beginning. These are made whenever a look from a
    mark finds too little, as long as they are cheap; and in any case from time to time: after one
    that took a millisecond, twenty later; after one that took a second, twenty seconds later.
    """

    def __init__(self) -> None:
        self._marks: dict[str, float] = {}
        self._whole_from = _LOWEST
        self.is_cheap = True
        """Whether the last look from the beginning was, so that one more does no harm."""

    def places(self, queues: Sequence[str], *, whole: bool) -> list[float]:
        """Where to begin for each queue."""
        return [_LOWEST if whole else self._marks.get(queue, _LOWEST) for queue in queues]

    def may_look_whole(self) -> bool:
        """Whether it is time for a look from the beginning."""
        return time.monotonic() >= self._whole_from

    def whole_look_in(self) -> float:
        """Seconds until the next look from the beginning."""
        return max(self._whole_from - time.monotonic(), 0.0)

    def looked_whole(self, seconds: float, *, found_enough: bool = False) -> None:
        """A look from the beginning took so long. If it found as much as was wanted, the next
        ones need not be of its kind."""
        self.is_cheap = seconds <= _CHEAP
        pause = seconds / _SHARE if found_enough or not self.is_cheap else 0.0
        self._whole_from = time.monotonic() + pause

    def taken(self, queue: str, place: float) -> None:
        """Everything up to there is taken."""
        self._marks[queue] = place

    def forget(self, queue: str) -> None:
        """Something earlier was put back."""
        self._marks.pop(queue, None)
