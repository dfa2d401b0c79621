"""Values of strangers in our own sentences."""

import json
from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 60
_LONGEST_LINE = 500


def excerpt(value: object) -> str:
    """`value` as JSON writes it, cut to a length that is good to read."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        # Cut first: the rest of a megabyte need not be encoded.
        shown = json.dumps(value[:_LONGEST], ensure_ascii=False)
        return shown if len(value) <= _LONGEST else f'{shown[:-1]}…" ({len(value):,} characters)'
    text = json.dumps(value, default=repr)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def first_line(error: str) -> str:
    """What a job's error says in short; the rest may be a whole traceback."""
    return error.partition("\n")[0][:_LONGEST_LINE]


def hint(name: str, known: Iterable[str]) -> str:
    """Which of the known names an unknown one may have meant, or all of them."""
    names = list(known)
    # Cut, since comparing a megabyte takes its time.
    close = get_close_matches(name[:100], names, n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"
