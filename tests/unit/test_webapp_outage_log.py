"""What the operator of the API is told of outages: two lines for each."""

import logging

import pytest

from webapp.service.outage_log import OutageLog
from webapp.service.print_jobs import PrintJob, StoreDown
from webapp.service.watched_print_jobs import WatchedPrintJobs


@pytest.fixture
def outage() -> OutageLog:
    return OutageLog("job store", "Redis at there:1", "Registering answers 503 until it is back.")


async def test_the_api_reports_what_its_callers_notice(
    caplog: pytest.LogCaptureFixture, outage: OutageLog
) -> None:
    class Store:
        is_up = False

        async def add(self, message: str, *, delay_seconds: float, max_retry: int) -> str:
            await self.find([])
            return "id"

        async def find(self, job_ids: object) -> list[PrintJob]:
            if not self.is_up:
                raise StoreDown("gone")
            return []

    caplog.set_level(logging.INFO)
    store = Store()
    jobs = WatchedPrintJobs(store, outage)

    for _ in range(2):
        with pytest.raises(StoreDown):
            await jobs.add("x", delay_seconds=0, max_retry=0)
        with pytest.raises(StoreDown):
            await jobs.find(["id"])
    store.is_up = True
    assert await jobs.add("x", delay_seconds=0, max_retry=0) == "id"
    assert await jobs.find(["id"]) == []

    assert len(caplog.messages) == 2
    assert "gone" in caplog.messages[0]
    assert "is back" in caplog.messages[1]
