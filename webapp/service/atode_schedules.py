"""Runs that begin by themselves, as atode's schedules."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from atode import Atode, Call
from webapp.service.atode_errors import store_errors
from webapp.service.atode_job_runs import Runnable


class AtodeSchedules:
    """One schedule for each of some jobs, under the job's name."""

    def __init__(self, jobs: Atode, timezone: str) -> None:
        self._jobs = jobs
        self._timezone = timezone

    def add(
        self, runnable: Runnable, cron: str, arguments: Callable[[datetime], Mapping[str, Any]]
    ) -> None:
        """Run a job by itself: as though somebody pressed its button at each of these times."""

        def call(tick: datetime) -> Call[Any]:
            return runnable.call(arguments(tick))

        self._jobs.schedule(cron, call, id=runnable.task.name, timezone=self._timezone)

    async def next_runs(self) -> Mapping[str, datetime]:
        """When each job runs by itself next; without those that do not, or are paused."""
        async with store_errors():
            found = await self._jobs.schedules.list()
        return {schedule.id: schedule.next for schedule in found if schedule.next}
