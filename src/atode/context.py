"""Which job the running code belongs to."""

from contextvars import ContextVar

from atode.job import Job

current: ContextVar[Job | None] = ContextVar("atode_job", default=None)


def current_job() -> Job | None:
    """Inside a handler, also in its thread: the job that is being run. Elsewhere None."""
    return current.get()
