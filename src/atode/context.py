"""Which job the running code belongs to."""

import math
from contextvars import ContextVar

from atode.job import Job

current: ContextVar[Job | None] = ContextVar("atode_job", default=None)
ends_at: ContextVar[float] = ContextVar("atode_ends_at", default=math.inf)
"""When the attempt is over by timeout or deadline, in Unix seconds."""


def current_job() -> Job | None:
    """Inside a handler, also in its thread: the job that is being run. Elsewhere None."""
    return current.get()
