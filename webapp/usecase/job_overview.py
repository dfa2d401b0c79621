"""Tell how the application's jobs stand."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from webapp.service.audit_logs import AuditLogs, Progress
from webapp.service.failure import PermanentFailure, TransientFailure
from webapp.service.job_runs import JobRun, JobRuns, NextRuns
from webapp.usecase.run_job import (
    DATA_CLEANUP,
    DELAY_PRINT,
    MONTHLY_REPORT_GENERATOR,
    USER_REMINDER,
    WEEKLY_REPORT_REMINDER,
)

JOBS = (
    DELAY_PRINT,
    WEEKLY_REPORT_REMINDER,
    USER_REMINDER,
    MONTHLY_REPORT_GENERATOR,
    DATA_CLEANUP,
)
_RUNS_OF_EACH = 5
_UNFINISHED = ("active", "retry")


@dataclass(frozen=True)
class RunOverview:
    """One run, and how far it has come where that is known."""

    run: JobRun
    progress: Progress | None


@dataclass(frozen=True)
class JobOverview:
    """One job and its newest runs, the last one first."""

    name: str
    runs: Sequence[RunOverview]
    next_run: datetime | None
    """When it runs by itself next; None if it does not."""


class JobsOverview:
    """Looks all jobs up."""

    def __init__(self, runs: JobRuns, logs: AuditLogs, next_runs: NextRuns) -> None:
        self._runs = runs
        self._next_runs = next_runs
        self._logs = logs

    async def all(self) -> Sequence[JobOverview]:
        """Each job, in the order of `JOBS`.

        Raises:
            StoreDown: the store of jobs cannot be asked now.
        """
        runs = [
            RunOverview(run, await self._progress(run))
            for run in await self._runs.newest(_RUNS_OF_EACH)
        ]
        ahead = await self._next_runs.next_runs()
        return [
            JobOverview(name, [r for r in runs if r.run.job == name], ahead.get(name))
            for name in JOBS
        ]

    async def _progress(self, run: JobRun) -> Progress | None:
        if run.job == DATA_CLEANUP and run.state in _UNFINISHED:
            # Jobs can be seen without the database, too.
            with suppress(TransientFailure, PermanentFailure):
                return await self._logs.progress(run.id)
        return None
