"""Delete old audit logs, a little at a time."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from webapp.service.audit_logs import AuditLogs
from webapp.usecase.calendar import Calendar
from webapp.usecase.failure import BadArgument

logger = logging.getLogger("webapp.cleanup")

LONGEST_DAYS = 36_500
DAYS_LIMIT = f"a whole number of days from 1 to {LONGEST_DAYS:,}"
DEFAULT_DAYS = 90


def check_days(days: int) -> None:
    """Return if logs of this age may be deleted.

    Raises:
        BadArgument: out of the limit; 0 would delete everything.
    """
    if not 1 <= days <= LONGEST_DAYS:
        raise BadArgument("days", days, DAYS_LIMIT)


@dataclass(frozen=True)
class CleanedUp:
    """How many logs went, in all attempts of the job together."""

    days: int
    deleted: int


class CleanUp:
    """Each batch is a transaction of its own, followed by a pause in which others may write."""

    def __init__(
        self, logs: AuditLogs, calendar: Calendar, *, batch: int, pause_seconds: float
    ) -> None:
        self._logs = logs
        self._calendar = calendar
        self._batch = batch
        self._pause_seconds = pause_seconds

    async def run(self, job_id: str, days: int) -> CleanedUp:
        """Delete what is older than `days` days.

        Raises:
            BadArgument: `days` is out of its limit.
            TransientFailure: the database cannot be used now; what is deleted is recorded, and
                the next attempt goes on from there.
        """
        check_days(days)
        before = self._calendar.now() - timedelta(days=days)
        await self._logs.forget(before)
        progress = await self._logs.begin(job_id, before)
        done = progress.done
        while deleted := await self._logs.delete(job_id, before, limit=self._batch):
            done += deleted
            logger.info("%s: %d of %d audit logs deleted", job_id, done, progress.total)
            await asyncio.sleep(self._pause_seconds)
        return CleanedUp(days, done)
