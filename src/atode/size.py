"""How many jobs a worker runs at the same time, and the wish that it were another number."""

import json
import uuid
from contextlib import suppress
from typing import NamedTuple, Self

from atode.errors import BadOption

LARGEST = 10_000
"""Jobs that one worker runs at the same time, at most."""


def checked_concurrency(concurrency: int) -> int:
    """`concurrency`, if a worker can be of that size.

    Raises:
        BadOption: it is no whole number from 1 to 10,000.
    """
    if isinstance(concurrency, bool) or not isinstance(concurrency, int):
        raise BadOption(f"concurrency is {concurrency!r:.80}; it must be a whole number")
    if not 1 <= concurrency <= LARGEST:
        raise BadOption(f"concurrency is {concurrency}; it must be from 1 to {LARGEST:,}")
    return concurrency


def grown(concurrency: int, by: int) -> int:
    """A size that is larger by so many, or smaller, as far as a worker can be."""
    return min(max(concurrency + by, 1), LARGEST)


class Wish(NamedTuple):
    """That a running worker be of another size; it travels by way of the store."""

    concurrency: int
    id: str
    """Tells this wish from an earlier one for the same number, so that none is granted twice."""

    @classmethod
    def of(cls, concurrency: int) -> Self:
        """A new wish.

        Raises:
            BadOption: no worker can be of that size.
        """
        return cls(checked_concurrency(concurrency), uuid.uuid4().hex)

    @classmethod
    def from_json(cls, text: str | bytes | None) -> Self | None:
        """The wish that `to_json` wrote; None for anything else, also where nobody wishes."""
        with suppress(ValueError, TypeError, KeyError, BadOption):
            fields = json.loads(text or "")
            return cls(checked_concurrency(fields["concurrency"]), str(fields["id"]))
        return None

    def to_json(self) -> str:
        """The wish as brokers keep it."""
        return json.dumps(self._asdict())
