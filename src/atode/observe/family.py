"""Several processes of one program, as who observes them sees them."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from atode.lifeline import Word
from atode.observe.health import PATIENCE
from atode.observe.totals import Totals

HEALTH_WITHIN = PATIENCE + 1
"""Seconds for a process to tell how it is: one more than it gives its own event loop."""

_LONGEST_START = 60.0
"""Seconds for a process to start."""


class Told(NamedTuple):
    """What one process answered."""

    number: int
    pid: int
    """0 while there is none: it has ended, and another one is about to start."""
    answer: Any
    """None if it did not answer in time."""
    starting: float
    """For how many seconds it has been starting; 0 once it has answered anything."""


class Family(Protocol):
    """`Processes` has all of this."""

    totals: Totals

    async def ask(self, question: Word, within: float) -> Sequence[Told]:
        """What each of them answers within so many seconds."""
        ...


def sick(told: Sequence[Told]) -> str:
    """Which process does not live as it should, in one line; empty if none.

    One that starts, or is about to be started again, is not sick.
    """
    for each in told:
        if each.answer is None:
            if each.pid and not 0 < each.starting < _LONGEST_START:
                return f"process {each.number} ({each.pid}) does not answer"
        elif each.answer[0]:
            return f"process {each.number} ({each.pid}): {each.answer[0]}"
    return ""


def idle(told: Sequence[Told]) -> str:
    """Which process does not claim jobs, and why, in one line; empty if all do."""
    for each in told:
        if not each.pid:
            return f"process {each.number} has ended, and is about to be started again"
        if each.answer is None:
            return f"process {each.number} ({each.pid}) does not answer"
        if each.answer[1]:
            return f"process {each.number} ({each.pid}): {each.answer[1]}"
    return ""
