"""Where jobs that print later are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from webapp.service.failure import TransientFailure


class StoreDown(TransientFailure):
    """The store of jobs cannot be used now; the same call may succeed later."""


@dataclass(frozen=True)
class PrintJob:
    """A job as it stands in the store."""

    id: str
    state: str
    """scheduled, pending, active, retry, completed or archived."""
    due: datetime | None
    """When it will run, where it waits for a moment; otherwise None."""
    retried: int
    max_retry: int
    error: str
    """Text of the last failure."""


class PrintJobs(Protocol):
    """The jobs."""

    async def add(self, message: str, *, delay_seconds: float, max_retry: int) -> str:
        """Store a job that prints `message` after `delay_seconds`; its id.

        Raises:
            StoreDown: whether the job is stored is not known.
        """
        ...

    async def find(self, job_ids: Sequence[str]) -> Sequence[PrintJob]:
        """Those of the jobs that the store has, in the order of the ids.

        Raises:
            StoreDown: the store cannot be asked now.
        """
        ...
