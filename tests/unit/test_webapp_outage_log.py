"""What the operator is told of outages: two lines for each, from however many sides."""

import logging

import pytest

from atode import BrokerRefused
from atode.events import BrokerBack, BrokerLost, Events, ServiceFailed
from webapp.service.event_log import log_worker_events
from webapp.service.outage_log import OutageLog
from webapp.service.print_jobs import PrintJob, StoreDown
from webapp.service.watched_print_jobs import WatchedPrintJobs


@pytest.fixture
def outage() -> OutageLog:
    return OutageLog("Redis at there:1", "Jobs wait until it is back.")


def test_an_outage_takes_two_lines_however_many_services_notice(
    caplog: pytest.LogCaptureFixture, outage: OutageLog
) -> None:
    caplog.set_level(logging.INFO)
    events = Events()
    log_worker_events(events, outage)

    for service in ("fetcher", "promoter", "fetcher"):
        events.publish(BrokerLost(service, "Redis at there:1 refused the connection", 1.0))
    for service in ("promoter", "fetcher"):
        events.publish(BrokerBack(service, 3.0))

    assert caplog.messages == [
        "The job store is down: Redis at there:1 refused the connection. "
        "Jobs wait until it is back.",
        "Redis at there:1 is back after 0 s",
    ]


def test_a_refusal_is_an_outage_and_a_bug_is_not(
    caplog: pytest.LogCaptureFixture, outage: OutageLog
) -> None:
    events = Events()
    log_worker_events(events, outage)

    events.publish(ServiceFailed("fetcher", BrokerRefused("WRONGPASS no such\nuser.")))
    events.publish(ServiceFailed("fetcher", KeyError("bug")))

    assert caplog.messages == [
        "The job store is down: Redis at there:1: WRONGPASS no such user. "
        "Jobs wait until it is back.",
        "fetcher: KeyError: 'bug'",
    ]


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
