"""Values of strangers in our own sentences."""

import json

_LONGEST = 60


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
