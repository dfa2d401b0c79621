"""How long to wait before a process that has ended is started again."""

GOOD_LIFE = 10.0
"""Seconds after which the end of a process is bad luck, and not the rule."""

FIRST = 0.5
LONGEST = 30.0


class Pauses:
    """None after a good life; growing ones after short lives, one after the other."""

    def __init__(self) -> None:
        self._next = FIRST

    def after(self, lived: float) -> float:
        """Seconds to wait after a process that lived for so many."""
        if lived >= GOOD_LIFE:
            self._next = FIRST
            return 0.0
        pause, self._next = self._next, min(self._next * 2, LONGEST)
        return pause
