"""The jobs, with an eye on whether their store answers."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from webapp.service.outage_log import OutageLog
from webapp.service.print_jobs import PrintJob, PrintJobs, StoreDown

_PAUSE_SECONDS = 5.0
_NOBODY = str(UUID(int=0))


class WatchedPrintJobs:
    """Passes every call on and reports outages, also those that no caller would notice."""

    def __init__(self, jobs: PrintJobs, outage: OutageLog) -> None:
        self._jobs = jobs
        self._outage = outage

    async def add(self, message: str, *, delay_seconds: float, max_retry: int) -> str:
        try:
            job_id = await self._jobs.add(message, delay_seconds=delay_seconds, max_retry=max_retry)
        except StoreDown as error:
            self._outage.lost(str(error))
            raise
        self._outage.back()
        return job_id

    async def find(self, job_ids: Sequence[str]) -> Sequence[PrintJob]:
        try:
            found = await self._jobs.find(job_ids)
        except StoreDown as error:
            self._outage.lost(str(error))
            raise
        self._outage.back()
        return found

    async def watch(self) -> None:
        """Ask the store from time to time, until cancelled."""
        while True:
            with suppress(StoreDown):  # It is reported by then, and that was the aim.
                await self.find([_NOBODY])
            await asyncio.sleep(_PAUSE_SECONDS)
