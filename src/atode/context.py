"""Which job the running code belongs to."""

from contextvars import ContextVar
from typing import Protocol

from atode.job import Job


class Execution(Protocol):
    """The attempt that the running code belongs to, as the worker shows it to that code."""

    @property
    def job(self) -> Job: ...

    @property
    def ends_at(self) -> float:
        """When it is over by timeout or deadline, in Unix seconds; infinity if by neither."""
        ...

    async def complete(self, result: object, transaction: object) -> None: ...

    def complete_sync(self, result: object, transaction: object) -> None: ...


# One variable for all of it: each one that is set costs every job a little.
execution: ContextVar[Execution | None] = ContextVar("atode_execution", default=None)


def current_job() -> Job | None:
    """Inside a handler, also in its thread: the job that is being run. Elsewhere None."""
    here = execution.get()
    return here.job if here else None
