"""The jobs in atode."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from atode import Atode, Job, State, Task
from webapp.service.atode_errors import store_errors
from webapp.service.print_jobs import PrintJob


class AtodePrintJobs:
    """Stores jobs as calls of `task`."""

    def __init__(self, jobs: Atode, task: Task[[str], None]) -> None:
        self._jobs = jobs
        self._task = task

    async def add(self, message: str, *, delay_seconds: float, max_retry: int) -> str:
        options = self._task.options(delay=delay_seconds, max_retry=max_retry)
        async with store_errors():
            handle = await options.enqueue(message)
        return handle.id

    async def find(self, job_ids: Sequence[str]) -> Sequence[PrintJob]:
        queue = self._task.defaults.queue
        async with store_errors():
            found = await asyncio.gather(
                *(self._jobs.get(job_id, queue=queue) for job_id in job_ids)
            )
        # An id of another task's job is not ours to tell about.
        return [_print_job(job) for job in found if job and job.task == self._task.name]


def _print_job(job: Job) -> PrintJob:
    waits = job.state in (State.SCHEDULED, State.RETRY)
    return PrintJob(
        id=job.id,
        state=job.state.value,
        due=datetime.fromtimestamp(job.due, UTC) if waits else None,
        retried=job.retried,
        max_retry=job.max_retry,
        error=job.error,
    )
