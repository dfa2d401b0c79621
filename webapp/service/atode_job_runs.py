"""Runs of jobs in atode."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from atode import Atode, Job, NotUnique, State, Task
from webapp.service.atode_errors import store_errors
from webapp.service.job_runs import Added, JobRun

_ENDED = (State.COMPLETED, State.ARCHIVED)
_LOOKED_AT = 100
"""Jobs of each state of a queue among which the newest runs are looked for."""


@dataclass(frozen=True)
class Runnable:
    """A task that can be run by name."""

    task: Task[..., Any]
    alone: bool
    """Whether a second run with the same arguments is refused while the first is not over."""


class AtodeJobRuns:
    """Stores runs as calls of tasks."""

    def __init__(self, jobs: Atode, runnables: Sequence[Runnable]) -> None:
        self._jobs = jobs
        self._runnables = {runnable.task.name: runnable for runnable in runnables}

    async def add(self, job: str, arguments: Mapping[str, Any]) -> Added:
        runnable = self._runnables[job]
        task = runnable.task
        # For as long as an attempt may take: nothing that died stands in the way for longer.
        options = task.options(unique_for=task.defaults.timeout) if runnable.alone else task
        async with store_errors():
            try:
                handle = await options.enqueue(**arguments)
            except NotUnique as error:
                return await self._instead(error.job_id, task.defaults.queue)
        return Added(handle.id, is_new=True)

    async def newest(self, limit: int) -> Sequence[JobRun]:
        queues = dict.fromkeys(
            runnable.task.defaults.queue for runnable in self._runnables.values()
        )
        async with store_errors():
            jobs = [job for queue in queues for job in await self._jobs_of(queue)]
        # Ids tell the order, as they begin with the time.
        jobs.sort(key=lambda job: job.id, reverse=True)
        runs = {name: [job for job in jobs if job.task == name] for name in self._runnables}
        return [_run(job) for name in runs for job in runs[name][:limit]]

    async def _instead(self, job_id: str, queue: str) -> Added:
        job = await self._jobs.get(job_id, queue=queue)
        is_archived = job is not None and job.state is State.ARCHIVED
        if is_archived:
            await self._jobs.broker.run(queue, [job_id])
        return Added(job_id, is_new=is_archived)

    async def _jobs_of(self, queue: str) -> Sequence[Job]:
        counts = await self._jobs.broker.counts(queue)
        found: list[Job] = []
        for state, count in counts.items():
            if count:
                # What has ended comes oldest first, and the newest is what we want.
                offset = max(0, count - _LOOKED_AT) if state in _ENDED else 0
                broker = self._jobs.broker
                found += await broker.find(queue, state, offset=offset, limit=_LOOKED_AT)
        return found


def _run(job: Job) -> JobRun:
    waits = job.state in (State.SCHEDULED, State.RETRY)
    ended = {State.COMPLETED: job.completed_at, State.ARCHIVED: job.last_failed_at}
    arguments = _json(job.payload)
    return JobRun(
        id=job.id,
        job=job.task,
        state=job.state.value,
        arguments=arguments if isinstance(arguments, dict) else {},
        due=datetime.fromtimestamp(job.due, UTC) if waits else None,
        ended=datetime.fromtimestamp(ended[job.state], UTC) if job.state in ended else None,
        retried=job.retried,
        max_retry=job.max_retry,
        error=job.error,
        result=_json(job.result),
    )


def _json(text: bytes) -> Any:
    # A foreign client may have stored what is none.
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
