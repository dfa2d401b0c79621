"""Runs of jobs in atode."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from atode import Atode, Call, Job, NotUnique, State, Task
from webapp.service.atode_errors import store_errors
from webapp.service.job_runs import Added, JobRun

# In the order in which jobs pass through them: one that moves on while we look is found later,
# and not missed.
_LIFE = (
    State.SCHEDULED,
    State.RETRY,
    State.PENDING,
    State.ACTIVE,
    State.COMPLETED,
    State.ARCHIVED,
)
_ENDED = (State.COMPLETED, State.ARCHIVED)
_LOOKED_AT = 100
"""Jobs of each state of a queue among which the newest runs are looked for."""


@dataclass(frozen=True)
class Runnable:
    """A task that can be run by name."""

    task: Task[..., Any]
    alone: bool
    """Whether a second run with the same arguments is refused while the first is not over."""

    def call(self, arguments: Mapping[str, Any]) -> Call[Any]:
        """A run, not stored yet."""
        # For as long as an attempt may take: nothing that died stands in the way for longer.
        lock = self.task.options(unique_for=self.task.defaults.timeout)
        return (lock if self.alone else self.task).call(**arguments)


class AtodeJobRuns:
    """Stores runs as calls of tasks. Jobs of `watched` tasks are shown, but not run by name."""

    def __init__(
        self, jobs: Atode, runnables: Sequence[Runnable], *, watched: Sequence[Task[..., Any]]
    ) -> None:
        self._jobs = jobs
        self._watched = watched
        self._runnables = {runnable.task.name: runnable for runnable in runnables}

    async def add(self, job: str, arguments: Mapping[str, Any]) -> Added:
        runnable = self._runnables[job]
        async with store_errors():
            try:
                handle = await self._jobs.enqueue(runnable.call(arguments))
            except NotUnique as error:
                return await self._instead(error.job_id, runnable.task.defaults.queue)
        return Added(handle.id, is_new=True)

    async def newest(self, limit: int) -> Sequence[JobRun]:
        tasks = [runnable.task for runnable in self._runnables.values()] + list(self._watched)
        found: list[Job] = []
        async with store_errors():
            for queue in dict.fromkeys(task.defaults.queue for task in tasks):
                names = [task.name for task in tasks if task.defaults.queue == queue]
                found += await self._newest_of(queue, names, limit)
        return [_run(job) for job in sorted(found, key=_age)]

    async def _instead(self, job_id: str, queue: str) -> Added:
        job = await self._jobs.get(job_id, queue=queue)
        is_archived = job is not None and job.state is State.ARCHIVED
        if is_archived:
            await self._jobs.broker.run(queue, [job_id])
        return Added(job_id, is_new=is_archived)

    async def _newest_of(self, queue: str, tasks: Sequence[str], limit: int) -> Sequence[Job]:
        broker = self._jobs.broker
        counts = await broker.counts(queue)
        newest: dict[str, Job] = {}
        for state in _LIFE:
            # What has ended comes oldest first, and the newest is what we want.
            offset = max(0, counts[state] - _LOOKED_AT) if state in _ENDED else 0
            jobs = await broker.find(queue, state, offset=offset, limit=_LOOKED_AT)
            for task in tasks:
                mine = sorted((job for job in jobs if job.task == task), key=_age)
                newest |= {job.id: job for job in mine[:limit]}
        return list(newest.values())


def _age(job: Job) -> float:
    """Sorts the newest first, by the time in the id (RFC 9562, section 5.7), or by the last time
    that we know of where the id is of another kind."""
    try:
        job_id = UUID(job.id)
    except ValueError:
        job_id = None
    if job_id and job_id.version == 7:
        return -float(job_id.int >> 80)
    return -1000 * max(job.completed_at, job.last_failed_at, job.due)


def _run(job: Job) -> JobRun:
    waits = job.state in (State.SCHEDULED, State.RETRY)
    ended = {State.COMPLETED: job.completed_at, State.ARCHIVED: job.last_failed_at}
    return JobRun(
        id=job.id,
        job=job.task,
        state=job.state.value,
        arguments=_arguments(job.payload),
        due=datetime.fromtimestamp(job.due, UTC) if waits else None,
        ended=datetime.fromtimestamp(ended[job.state], UTC) if job.state in ended else None,
        retried=job.retried,
        max_retry=job.max_retry,
        error=job.error,
        result=_json(job.result),
    )


def _arguments(payload: bytes) -> Mapping[str, Any]:
    arguments: Any = _json(payload)
    if not isinstance(arguments, dict):
        return {}
    return cast("dict[str, Any]", arguments)


def _json(text: bytes) -> Any:
    # A foreign client may have stored what is none.
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
