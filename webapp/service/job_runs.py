"""Runs of the application's jobs: asked for by people and schedules, watched by the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True)
class JobRun:
    """One run as it stands in the store."""

    id: str
    job: str
    """Name of the job."""
    state: str
    arguments: Mapping[str, Any]
    due: datetime | None
    """When it will run, where it waits for a moment; otherwise None."""
    ended: datetime | None
    """When it was completed or archived; otherwise None."""
    retried: int
    max_retry: int
    error: str
    """Text of the last failure."""
    result: Any
    """What it returned, once it is completed."""


@dataclass(frozen=True)
class Added:
    """What became of a wish to run a job."""

    id: str
    is_new: bool
    """False: the same job with the same arguments waits or runs already, under this id."""


class JobRuns(Protocol):
    """All runs. Each call may raise StoreDown: the store cannot be used now."""

    async def add(self, job: str, arguments: Mapping[str, Any]) -> Added:
        """Store a run of this job, to begin at once.

        Where the same run was archived a moment ago, that one is run again instead.
        """
        ...

    async def newest(self, limit: int) -> Sequence[JobRun]:
        """Up to `limit` runs of each job in each state, the newest first."""
        ...


class NextRuns(Protocol):
    """When jobs run by themselves. Each call may raise StoreDown."""

    async def next_runs(self) -> Mapping[str, datetime]:
        """The next time of each job that has one."""
        ...


class ReminderJobs(Protocol):
    """Jobs that remind one person each."""

    async def add(self, week: str, user_ids: Sequence[int]) -> None:
        """Store a job for each of them; who has one already gets no second.

        One that was archived, or completed without a mail, is run again.

        Raises:
            StoreDown: some of them may be stored; the same call may be repeated.
        """
        ...
