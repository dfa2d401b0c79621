"""Events as log lines."""

import logging
from collections.abc import Iterator

import pytest

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
from atode.observe.logs import log_events

JOB = Job("7", "mail:send", "mail", b"{}", retried=1, max_retry=3, error="ValueError: no\n  at x")
DUE = JOB._replace(due=1_900_000_000.0)
NOT_SO = ValueError("not so")

LINES: list[tuple[Event, str, str]] = [
    (JobEnqueued(JOB), "DEBUG", "mail:send 7 (mail) enqueued"),
    (JobEnqueued(DUE), "DEBUG", "mail:send 7 (mail) enqueued, due at "),
    (JobStarted(JOB, "w"), "DEBUG", "mail:send 7 (mail) started"),
    (JobSucceeded(JOB, "w", 0.25), "DEBUG", "mail:send 7 (mail) succeeded in 0.250 s"),
    (JobSnoozed(DUE, "w"), "DEBUG", "mail:send 7 (mail) snoozed until "),
    (JobReleased(JOB, "w"), "INFO", "mail:send 7 (mail) handed back"),
    (JobRetrying(DUE, "w", 1.0), "WARNING", "mail:send 7 (mail) failed, retry 1 of 3 at "),
    (JobArchived(JOB, "w", 1.0), "ERROR", "mail:send 7 (mail) failed for good and is archived"),
    (BatchMade(JOB, "g", 9), "DEBUG", "mail:send 7 (mail) made of 9 items of group 'g'"),
    (JobCancelled(JOB, "w", 1.5), "INFO", "mail:send 7 (mail) was cancelled after 1.500 s"),
    (TickSkipped("nightly", 5.0), "INFO", "schedule 'nightly': tick of "),
    (ScheduleFailed("nightly", NOT_SO), "ERROR", "schedule 'nightly': ValueError: not so"),
    (ClaimLost(JOB, "w"), "WARNING", "mail:send 7 (mail) is no longer ours"),
    (
        EndingIgnored(JOB, "w", "ValueError: no\n  line 3"),
        "WARNING",
        "mail:send 7 (mail) is completed, for the transaction that says so was committed; how its "
        "handler ended does not count: ValueError: no",
    ),
    (
        TransactionLeftOpen(JOB, "w", 10.2),
        "WARNING",
        "mail:send 7 (mail) has returned, but the transaction in which it was completed is still "
        "open after 10 s",
    ),
    (HandlerStuck(JOB, "w"), "WARNING", "mail:send 7 (mail) goes on though it was interrupted"),
    (BrokerLost("fetcher", "no route", 0.25), "WARNING", "fetcher: no route; next try in 0.2 s"),
    (BrokerBack("fetcher", 61.2), "INFO", "fetcher: the broker answers again after 61.2 s"),
    (ServiceFailed("reaper", NOT_SO), "ERROR", "reaper: ValueError: not so"),
    (SubscriberFailed(JobStarted(JOB, "w"), NOT_SO), "ERROR", "a subscriber of JobStarted raised"),
    (WorkerStarted("w", ("a", "b"), 5, ("x",)), "INFO", "worker w serves a, b with 5 slots"),
    (WorkerStarted("w", ("a",), 5, ()), "INFO", "worker w serves a with 5 slots; tasks: none"),
    (WorkerResized("w", 5, 6), "INFO", "worker w has 6 slots now, and had 5"),
    (WorkerStopping("w", 2), "INFO", "worker w stops; 2 jobs still run"),
    (WorkerStopped("w", 1), "INFO", "worker w stopped; 1 jobs handed back"),
]


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    logger = logging.getLogger("atode")
    before = logger.level
    yield
    logger.setLevel(before)


@pytest.mark.parametrize(("event", "level", "text"), LINES, ids=lambda value: str(value)[:25])
def test_each_event_has_its_line_and_level(
    caplog: pytest.LogCaptureFixture, event: Event, level: str, text: str
) -> None:
    logging.getLogger("atode").setLevel(logging.DEBUG)
    events = Events()
    log_events(events)

    events.publish(event)

    [record] = caplog.records
    assert (record.name, record.levelname) == ("atode", level)
    assert record.getMessage().startswith(text)


def test_every_event_is_logged() -> None:
    assert {type(event) for event, _, _ in LINES} == set(Event.__args__)


def test_events_below_the_level_are_not_even_built() -> None:
    logging.getLogger("atode").setLevel(logging.WARNING)
    events = Events()
    log_events(events)

    assert not events.wanted(JobStarted)
    assert not events.wanted(WorkerStarted)
    assert events.wanted(JobRetrying)


def test_a_retry_shows_the_error_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    events = Events()
    log_events(events)

    events.publish(JobRetrying(DUE, "w", 1.0))

    assert caplog.messages[0].endswith(": ValueError: no")


def test_a_job_that_cannot_be_read_is_named_so(caplog: pytest.LogCaptureFixture) -> None:
    events = Events()
    log_events(events)

    events.publish(ClaimLost(JOB._replace(task=""), "w"))

    assert caplog.messages[0].startswith("unreadable job 7 (mail)")


def test_an_outage_takes_two_lines_however_many_services_notice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    events = Events()
    log_events(events)

    for service in ("fetcher", "promoter", "fetcher"):
        events.publish(BrokerLost(service, "Redis at there:1 refused the connection", 1.0))
    for service in ("promoter", "fetcher"):
        events.publish(BrokerBack(service, 3.0))

    assert caplog.messages == [
        "fetcher: Redis at there:1 refused the connection; next try in 1.0 s",
        "fetcher: the broker answers again after 3.0 s",
    ]
