"""Jobs that remind one person each, in atode."""

import asyncio
from collections.abc import Sequence
from typing import Any

from atode import Atode, DuplicateJob, State, Task
from webapp.service.atode_errors import store_errors

_OVER = (State.ARCHIVED, State.COMPLETED)


class AtodeReminderJobs:
    """Each job's id names the person and the week, so that there are no two."""

    def __init__(self, jobs: Atode, task: Task[[int, str], Any]) -> None:
        self._jobs = jobs
        self._task = task

    async def add(self, week: str, user_ids: Sequence[int]) -> None:
        task = self._task
        ids = {user_id: f"{task.name}:{week}:{user_id}" for user_id in user_ids}
        calls = [task.options(id=ids[user_id]).call(user_id, week) for user_id in user_ids]
        async with store_errors():
            try:
                await self._jobs.enqueue_many(calls)
            except DuplicateJob:
                await self._run_again(list(ids.values()))

    async def _run_again(self, ids: Sequence[str]) -> None:
        queue = self._task.defaults.queue
        jobs = await asyncio.gather(*(self._jobs.get(job_id, queue=queue) for job_id in ids))
        over = [job.id for job in jobs if job and job.state in _OVER]
        await self._jobs.broker.run(queue, over)
