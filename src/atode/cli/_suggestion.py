"""Names that somebody who mistyped one may have meant."""

from collections.abc import Sequence
from difflib import get_close_matches


def suggestion(given: str, known: Sequence[str], *, likeness: float) -> str:
    """Up to three of the known names as the end of a message: those that begin with the given one,
    else those that are as like it as this, from 0 to 1. "" if there are none."""
    close = [each for each in known if given and each.startswith(given)]
    close = close or get_close_matches(given, known, n=3, cutoff=likeness)
    return f"; did you mean {' or '.join(map(repr, close[:3]))}?" if close else ""
