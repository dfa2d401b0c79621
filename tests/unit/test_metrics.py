"""Events as figures, and what a scraper reads of them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_metrics,  # pyright: ignore[reportUnknownVariableType]
)

from atode import Atode, State
from atode.broker.memory import MemoryBroker
from atode.errors import BrokerRefused, BrokerUnavailable
from atode.events import (
    BatchMade,
    BrokerBack,
    BrokerLost,
    ClaimLost,
    EndingIgnored,
    Event,
    Events,
    HandlerStuck,
    JobArchived,
    JobCancelled,
    JobEnqueued,
    JobReleased,
    JobRetrying,
    JobSnoozed,
    JobStarted,
    JobSucceeded,
    ScheduleFailed,
    ServiceFailed,
    SubscriberFailed,
    TickSkipped,
    TransactionLeftOpen,
    WorkerResized,
    WorkerStarted,
    WorkerStopped,
    WorkerStopping,
)
from atode.job import Job
from atode.observe.observatory import Observatory
from atode.observe.survey import MOST_QUEUES, survey
from atode.outcome import CRASHED
from atode.presence import Presence, Running
from atode.statistics import QueueStats
from atode.testing import FakeClock
from tests.exposition import Exposition, read

NOW = 1_800_000_000.0
JOB = Job("7", "mail:send", "mail", b"{}")
FAILED = JOB._replace(error="ValueError: no")

NOT_COUNTED = {BatchMade, BrokerBack, EndingIgnored, TickSkipped, TransactionLeftOpen} | {
    WorkerResized,
    WorkerStarted,
    WorkerStopping,
    WorkerStopped,
}
COUNTED: Sequence[tuple[Event, str, Mapping[str, str]]] = [
    (JobEnqueued(JOB), "jobs_enqueued_total", {"job_type": "mail:send"}),
    (
        JobStarted(JOB._replace(due=NOW - 2), "w"),
        "job_lateness_seconds_count",
        {"job_type": "mail:send"},
    ),
    *(
        (event, "jobs_processed_total", {"job_type": "mail:send", "status": status})
        for event, status in (
            (JobSucceeded(JOB, "w", 0.25), "succeeded"),
            (JobRetrying(FAILED, "w", 0.25), "retried"),
            (JobArchived(FAILED, "w", 0.25), "failed"),
            (JobCancelled(JOB, "w", 0.25), "cancelled"),
            (JobSnoozed(JOB, "w"), "snoozed"),
            (JobReleased(JOB, "w"), "released"),
            (ClaimLost(JOB, "w"), "lost"),
        )
    ),
    (HandlerStuck(JOB, "w"), "jobs_stuck_total", {"job_type": "mail:send"}),
    (BrokerLost("fetcher", "no route", 1.0), "broker_outages_total", {}),
    (ServiceFailed("reaper", ValueError()), "worker_errors_total", {}),
    (ScheduleFailed("nightly", ValueError()), "worker_errors_total", {}),
    (SubscriberFailed(JobEnqueued(JOB), ValueError()), "worker_errors_total", {}),
]


class Counting:
    """An app with one task, whose events are counted, on a broker to be put in its place."""

    def __init__(self) -> None:
        self.app = Atode("memory://")
        self.app.task("mail:send")(lambda: None)
        self.clock = FakeClock(NOW)
        self.broker = MemoryBroker(self.clock)
        self.observatory = Observatory(self.app, broker=lambda: self.broker, clock=self.clock)
        self.events: Events = self.app.events

    async def scrape(self) -> Exposition:
        return read((await self.observatory.page()).body)


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.mark.parametrize(("event", "name", "labels"), COUNTED, ids=lambda v: str(v)[:25])
async def test_each_event_counts_once_where_it_belongs(
    counting: Counting, event: Event, name: str, labels: Mapping[str, str]
) -> None:
    before = await counting.scrape()

    counting.events.publish(event)

    after = await counting.scrape()
    assert before.value(name, **labels) == 0
    assert after.value(name, **labels) == 1
    ours = ("jobs_", "broker_", "worker_")
    changed = {
        found
        for (found, labels), number in after.samples.items()
        if found.startswith(ours) and before.samples[found, labels] != number
    }
    assert changed - {name} == set()


def test_every_event_is_counted_or_deliberately_not() -> None:
    assert {type(event) for event, _, _ in COUNTED} | NOT_COUNTED == set(Event.__args__)


async def test_durations_are_counted_by_the_bound_that_they_do_not_exceed(
    counting: Counting,
) -> None:
    counting.events.publish_all([JobSucceeded(JOB, "w", s) for s in (0.1, 0.11, 4000, -1)])

    found = await counting.scrape()
    bucket = {
        bound: found.value("job_duration_seconds_bucket", job_type="mail:send", le=bound)
        for bound in ("0.001", "0.05", "0.1", "0.5", "3600.0", "+Inf")
    }
    assert bucket == {"0.001": 1, "0.05": 1, "0.1": 2, "0.5": 3, "3600.0": 3, "+Inf": 4}
    assert found.value("job_duration_seconds_count", job_type="mail:send") == 4
    assert found.value("job_duration_seconds_sum", job_type="mail:send") == pytest.approx(4000.21)


async def test_lateness_is_from_a_delayed_jobs_instant_to_its_start(counting: Counting) -> None:
    counting.events.publish_all([JobStarted(JOB, "w"), JobStarted(JOB._replace(due=NOW - 7), "w")])

    found = await counting.scrape()
    assert found.value("job_lateness_seconds_sum", job_type="mail:send") == 7
    assert found.value("job_lateness_seconds_count", job_type="mail:send") == 1


@pytest.mark.parametrize("kind", [JobRetrying, JobArchived])
async def test_a_crash_has_no_duration(
    counting: Counting, kind: type[JobRetrying | JobArchived]
) -> None:
    counting.events.publish(kind(JOB._replace(error=CRASHED), "w", 0.0))

    found = await counting.scrape()
    assert found.value("jobs_crashed_total", job_type="mail:send") == 1
    assert found.value("job_duration_seconds_count", job_type="mail:send") == 0


async def test_a_success_after_a_crash_is_no_crash(counting: Counting) -> None:
    counting.events.publish(JobSucceeded(JOB._replace(error=CRASHED), "w", 1.0))

    found = await counting.scrape()
    assert found.value("jobs_crashed_total", job_type="mail:send") == 0
    assert found.value("job_duration_seconds_count", job_type="mail:send") == 1


async def test_names_that_nobody_registered_share_one_label(counting: Counting) -> None:
    for number in range(1000):
        counting.events.publish(JobArchived(JOB._replace(task=f"evil-{number}"), "w", 0.1))

    found = await counting.scrape()
    assert found.values_of("job_type") == {"mail:send", "unknown"}
    assert found.value("jobs_processed_total", job_type="unknown", status="failed") == 1000


async def test_a_task_has_figures_before_its_first_job(counting: Counting) -> None:
    found = await counting.scrape()

    assert found.value("jobs_processed_total", job_type="mail:send", status="failed") == 0
    assert "unknown" not in found.values_of("job_type")


async def test_an_outage_counts_once_however_many_services_notice(counting: Counting) -> None:
    for service in ("fetcher", "promoter", "fetcher"):
        counting.events.publish(BrokerLost(service, "gone", 1.0))
    for service in ("fetcher", "promoter"):
        counting.events.publish(BrokerBack(service, 3.0))
    counting.events.publish(BrokerLost("fetcher", "gone", 1.0))

    assert (await counting.scrape()).value("broker_outages_total") == 2


# The store


async def test_a_queue_is_shown_with_its_states_its_pause_and_its_oldest_job(
    counting: Counting,
) -> None:
    await counting.broker.enqueue([JOB, JOB._replace(id="8", state=State.SCHEDULED, due=NOW + 60)])
    await counting.broker.pause("mail")
    counting.clock.advance(30)

    found = await counting.scrape()

    assert found.value("broker_up") == 1
    assert found.value("queue_jobs", queue="mail", state="pending") == 1
    assert found.value("queue_jobs", queue="mail", state="scheduled") == 1
    assert {labels["state"] for labels in found.labels_of("queue_jobs")} == set(State)
    assert found.value("queue_oldest_pending_seconds", queue="mail") == 30
    assert found.value("queue_paused", queue="mail") == 1
    assert found.value("queue_workers", queue="mail") == 0
    assert found.value("workers_alive") == 0


async def test_workers_are_added_up_and_counted_for_each_queue(counting: Counting) -> None:
    running = Running("7", "mail:send", "mail", b"{}", NOW - 40, NOW + 60)
    one = Presence("h:1:a", "h", 1, 10, {"mail": 1, "other": 1}, False, "active", NOW)
    await counting.broker.enqueue([JOB])
    await counting.broker.beat(one._replace(running=(running,), running_count=1), lifetime=60)
    await counting.broker.beat(
        one._replace(worker="h:2:b", status="stopped", running_count=2), lifetime=60
    )

    found = await counting.scrape()

    assert found.value("workers_alive") == 2
    assert found.value("worker_slots") == 20
    assert found.value("worker_slots_busy") == 3
    assert found.value("queue_workers", queue="mail") == 1
    assert found.value("queue_longest_running_seconds", queue="mail") == 40


async def test_the_queues_that_are_shown_are_limited_and_ones_own_come_first(
    counting: Counting,
) -> None:
    names = [f"q{number:03}" for number in range(MOST_QUEUES + 20)]
    await counting.broker.enqueue([JOB._replace(queue=name) for name in names])
    counting.events.publish(WorkerStarted("w", (names[-1],), 5, ()))

    found = await counting.scrape()

    assert found.values_of("queue") == {names[-1], *names[: MOST_QUEUES - 1]}
    assert found.value("queues_omitted") == 20


class Unreadable(MemoryBroker):
    """One of whose queues is something else."""

    async def stats(self, queue: str) -> QueueStats | None:
        if queue == "bad":
            raise BrokerRefused("WRONGTYPE")
        return await super().stats(queue)


async def test_a_queue_that_cannot_be_read_does_not_hide_the_others() -> None:
    broker = Unreadable()
    await broker.enqueue([JOB, JOB._replace(queue="bad")])

    found = await survey(broker, FakeClock(NOW), ())

    assert [stats.queue for stats in found.queues] == ["mail"]
    assert found.omitted == 1


class Away(MemoryBroker):
    """A store that is not there."""

    async def queues(self) -> Sequence[str]:
        raise BrokerUnavailable("nobody answers\nat all")


async def test_without_its_store_a_process_still_tells_about_itself(counting: Counting) -> None:
    counting.broker = Away()
    counting.events.publish(JobSucceeded(JOB, "w", 1.0))

    found = await counting.scrape()

    assert found.value("broker_up") == 0
    assert not found.labels_of("queue_jobs")
    assert not found.labels_of("workers_alive")
    assert found.value("jobs_processed_total", job_type="mail:send", status="succeeded") == 1
    assert await counting.observatory.trouble() == "nobody answers"


class Silent(MemoryBroker):
    """A store that neither answers nor refuses."""

    async def queues(self) -> Sequence[str]:
        await asyncio.sleep(60)
        return ()


async def test_a_store_that_is_silent_counts_as_away(
    counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atode.observe.observatory._PATIENCE", 0.01)
    counting.broker = Silent()

    assert (await counting.scrape()).value("broker_up") == 0
    assert await counting.observatory.trouble() == "the broker did not answer within 0.01 s"


async def test_a_store_that_answers_is_no_trouble(counting: Counting) -> None:
    assert await counting.observatory.trouble() == ""


# Formats


async def test_openmetrics_is_spoken_to_those_who_ask_for_it(counting: Counting) -> None:
    page = await counting.observatory.page("application/openmetrics-text; version=1.0.0")

    assert page.content_type.startswith("application/openmetrics-text")
    families: Any = open_metrics(page.body.decode())  # type: ignore[no-untyped-call]
    names = {family.name for family in families}
    assert {"jobs_processed", "job_duration_seconds", "broker_up"} <= names


async def test_what_the_program_itself_counts_comes_along(
    counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = CollectorRegistry()
    Counter("orders", "Orders taken.", registry=own).inc(3)
    monkeypatch.setattr("atode.observe.own.REGISTRY", own)

    assert (await counting.scrape()).value("orders_total") == 3
