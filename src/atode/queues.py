"""The queues that a worker serves, and in which order it looks at them."""

import random
from collections.abc import Iterable, Mapping, Sequence

from atode.errors import BadOption


def checked_queue_name(name: str) -> str:
    """`name`, if a queue can be called so.

    Raises:
        BadOption: it is no text, is blank or longer than 200 characters, or holds a brace (which
            would break Redis Cluster's hash tag) or a control character.
    """
    if not isinstance(name, str):
        raise BadOption(f"queue name is {name!r:.80}; it must be a text")
    if not name.strip():
        raise BadOption(f"queue name {name!r} is blank")
    if len(name) > 200:
        raise BadOption(f"queue name has {len(name)} characters; the limit is 200")
    if any(letter in "{}" or not letter.isprintable() for letter in name):
        raise BadOption(f"queue name {name!r} may not contain braces or control characters")
    return name


class Queues:
    """Names with weights.

    Weighted (the default): each look starts with a queue drawn by weight, so a queue of
    weight 6 is looked at first three times as often as one of weight 2, and none starves.
    Strict: always by descending weight; lower queues run only when higher ones are empty.
    """

    def __init__(self, weights: Mapping[str, int], *, strict: bool = False) -> None:
        if not weights:
            raise BadOption("a worker needs at least one queue; the usual one is 'default'")
        for name, weight in weights.items():
            checked_queue_name(name)
            if not 1 <= weight <= 1_000_000:
                raise BadOption(
                    f"queue {name!r} has weight {weight}; it must be from 1 to 1,000,000"
                )
        self.weights = dict(weights)
        self.strict = strict
        self.names: Sequence[str] = sorted(weights, key=lambda name: -weights[name])

    @classmethod
    def parse(cls, entries: Iterable[str], *, strict: bool = False) -> "Queues":
        """From `name` and `name=weight` entries, as the command line has them."""
        weights: dict[str, int] = {}
        for entry in entries:
            name, equals, weight = entry.partition("=")
            if equals and not weight.isdecimal():
                raise BadOption(f"queue entry {entry!r}: the weight after '=' must be a number")
            weights[name] = int(weight) if equals else 1
        return cls(weights, strict=strict)

    def order(self) -> Sequence[str]:
        """The names in the order of one look."""
        if self.strict or len(self.names) == 1:
            return self.names
        # A weighted shuffle: the largest of u ** (1 / weight) comes first with a
        # probability proportional to its weight (Efraimidis and Spirakis).
        return sorted(
            self.names,
            key=lambda name: random.random() ** (1 / self.weights[name]),
            reverse=True,
        )
