"""The interpreter's search for garbage, in a process that does nothing but run jobs."""

import gc

_ALLOCATIONS = 10_000
"""Between two searches. A job makes some twenty objects, all of which go by themselves."""


def calm() -> None:
    """Search seldom, and not among what is there now: modules and tasks stay until the end.

    By default it takes a fifth of a busy worker's time. A program that has asked for still fewer
    searches keeps its setting.
    """
    gc.collect()
    gc.freeze()
    if 0 < gc.get_threshold()[0] < _ALLOCATIONS:
        gc.set_threshold(_ALLOCATIONS)
