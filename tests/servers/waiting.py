"""Waiting for facts that no event tells."""

import time
from collections.abc import Callable


def until(fact: Callable[[], bool], within: float = 60.0) -> None:
    """Wait for a fact; the time limit only ends what has failed."""
    limit = time.monotonic() + within
    while not fact():
        if time.monotonic() > limit:
            raise TimeoutError(f"not so within {within} s")
        time.sleep(0.02)
