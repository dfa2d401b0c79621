"""Deleting old logs in batches."""

from datetime import datetime, timedelta

import pytest

from atode import Permanent
from tests.unit.webapp_office import CALENDAR
from webapp.jobqueue.processor import CleanUpProcessor
from webapp.service.audit_logs import Progress
from webapp.service.failure import TransientFailure
from webapp.usecase.clean_up import CleanUp


class Logs:
    """`AuditLogs`: only their number, and what each job has done."""

    def __init__(self, count: int, *, fails_after: int = 1000) -> None:
        self.count = count
        self.batches: list[int] = []
        self.before: datetime | None = None
        self.fails_after = fails_after
        self._progress = Progress(0, 0)

    async def begin(self, job_id: str, before: datetime) -> Progress:
        self.before = before
        self._progress = Progress(self._progress.done, self._progress.done + self.count)
        return self._progress

    async def delete(self, job_id: str, before: datetime, *, limit: int) -> int:
        if len(self.batches) == self.fails_after:
            raise TransientFailure("gone")
        size = min(limit, self.count)
        self.count -= size
        self.batches.append(size)
        self._progress = Progress(self._progress.done + size, self._progress.total)
        return size

    async def progress(self, job_id: str) -> Progress | None:
        return self._progress

    async def forget(self, before: datetime) -> None:
        pass


def cleanup(logs: Logs) -> CleanUpProcessor:
    return CleanUpProcessor(CleanUp(logs, CALENDAR, batch=100, pause_seconds=0))


async def test_batches_go_until_nothing_is_left() -> None:
    logs = Logs(250)

    done = await cleanup(logs).process(90)

    assert logs.batches == [100, 100, 50, 0]
    assert (done.days, done.deleted) == (90, 250)
    assert logs.before == CALENDAR.now() - timedelta(days=90)


async def test_a_second_attempt_goes_on_and_counts_both() -> None:
    logs = Logs(250, fails_after=1)
    with pytest.raises(TransientFailure):
        await cleanup(logs).process(90)
    logs.fails_after = 1000

    assert (await cleanup(logs).process(90)).deleted == 250


@pytest.mark.parametrize("days", [0, -1, 36_501])
async def test_bad_days_are_permanent_and_delete_nothing(days: int) -> None:
    logs = Logs(10)

    with pytest.raises(Permanent, match=f"days is {days}; it must be a whole number"):
        await cleanup(logs).process(days)

    assert logs.count == 10
