"""How much was asked for on the command line."""

from typing import NamedTuple


class Wish(NamedTuple):
    """None: as many as there are by default."""

    quick: bool
    rounds: int | None
    many: int | None
    """Jobs in the long queue, or in the full store."""
    crash_asynq: bool
