"""Log records as JSON."""

import json
import logging
import sys
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from atode.events import (
    BrokerBack,
    BrokerLost,
    Event,
    Events,
    HandlerStuck,
    JobArchived,
    JobEnqueued,
    JobRetrying,
    JobStarted,
    JobSucceeded,
    ServiceFailed,
    SubscriberFailed,
    WorkerStarted,
)
from atode.job import Job, State
from atode.observe.json_logs import JsonFormatter
from atode.observe.logs import log_events
from tests.unit.test_logs import LINES

SECRET = "swordfish"
JOB = Job(
    "7",
    "mail:send",
    "mail",
    SECRET.encode(),
    State.ACTIVE,
    retried=1,
    max_retry=3,
    headers={"authorization": SECRET},
    error="OSError: of the attempt before\n  at x",
    result=SECRET.encode(),
)
FAILED = JOB._replace(
    state=State.RETRY, retried=2, due=1_900_000_000.25, error="ValueError: no\n x"
)
ENQUEUED = JOB._replace(state=State.SCHEDULED, retried=0, due=1_900_000_000.0, error="")
OF_JOB = {"job_id": "7", "task": "mail:send", "queue": "mail", "max_retry": 3}


@pytest.fixture
def output() -> Iterator[StringIO]:
    """What the logger of atode writes as JSON."""
    logger = logging.getLogger("atode")
    before, stream = logger.level, StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield stream
    logger.removeHandler(handler)
    logger.setLevel(before)


def written(output: StringIO, event: Event) -> dict[str, Any]:
    """The one line that an event becomes."""
    events = Events()
    log_events(events)
    events.publish(event)
    [line] = output.getvalue().splitlines()
    fields: dict[str, Any] = json.loads(line)
    return fields


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        (
            JobEnqueued(ENQUEUED),
            {
                "level": "debug",
                "event": "job_enqueued",
                **OF_JOB,
                "state": "scheduled",
                "due": "2030-03-17T17:46:40.000Z",
            },
        ),
        (
            JobStarted(JOB, "w"),
            {
                "level": "debug",
                "event": "job_started",
                **OF_JOB,
                "state": "active",
                "attempt": 2,
                "worker": "w",
            },
        ),
        (
            JobSucceeded(JOB, "w", 0.25),
            {
                "level": "debug",
                "event": "job_succeeded",
                **OF_JOB,
                "state": "active",
                "attempt": 2,
                "worker": "w",
                "duration": 0.25,
            },
        ),
        (
            JobRetrying(FAILED, "w", 1.5),
            {
                "level": "warning",
                "event": "job_retrying",
                **OF_JOB,
                "state": "retry",
                "attempt": 2,
                "worker": "w",
                "duration": 1.5,
                "due": "2030-03-17T17:46:40.250Z",
                "error": "ValueError: no",
                "traceback": " x",
            },
        ),
        (
            JobArchived(FAILED._replace(state=State.ARCHIVED, error="gone"), "w", 1.5),
            {
                "level": "error",
                "event": "job_archived",
                **OF_JOB,
                "state": "archived",
                "attempt": 3,
                "worker": "w",
                "duration": 1.5,
                "error": "gone",
            },
        ),
        (
            BrokerLost("fetcher", "no route", 0.25),
            {
                "level": "warning",
                "event": "broker_lost",
                "service": "fetcher",
                "error": "no route",
                "pause": 0.25,
            },
        ),
        (
            BrokerBack("fetcher", 61.2),
            {"level": "info", "event": "broker_back", "service": "fetcher", "duration": 61.2},
        ),
        (
            WorkerStarted("w", ("a", "b"), 5, ("x",)),
            {
                "level": "info",
                "event": "worker_started",
                "worker": "w",
                "queues": ["a", "b"],
                "concurrency": 5,
                "tasks": ["x"],
            },
        ),
        (
            ServiceFailed("reaper", ValueError("not so")),
            {
                "level": "error",
                "event": "service_failed",
                "service": "reaper",
                "error": "ValueError: not so",
                "traceback": "",
            },
        ),
        (
            SubscriberFailed(HandlerStuck(JOB, "w"), ValueError("not so")),
            {
                "level": "error",
                "event": "subscriber_failed",
                "about": "handler_stuck",
                "error": "ValueError: not so",
                "traceback": "",
            },
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_event_is_written_with_its_fields(
    output: StringIO, event: Event, fields: dict[str, Any]
) -> None:
    line = written(output, event)

    assert line.pop("time").endswith("Z")
    assert line.pop("message")
    assert line.pop("logger") == "atode"
    assert line == fields


@pytest.mark.parametrize("event", [event for event, _, _ in LINES], ids=lambda e: str(e)[:25])
def test_every_event_is_one_line_that_can_be_read_back(output: StringIO, event: Event) -> None:
    line = written(output, event)

    assert line["event"].replace("_", "") == type(event).__name__.lower()


@pytest.mark.parametrize("kind", [JobStarted, HandlerStuck])
def test_payloads_results_and_headers_are_never_written(output: StringIO, kind: Any) -> None:
    written(output, kind(JOB, "w"))

    assert SECRET not in output.getvalue()


def test_records_of_other_loggers_are_json_too() -> None:
    record = logging.LogRecord("shop", logging.WARNING, "f.py", 1, "%d à la carte", (2,), None)

    line = json.loads(JsonFormatter().format(record))

    assert line.pop("time")
    assert line == {"level": "warning", "logger": "shop", "message": "2 à la carte"}


def test_an_exception_is_a_field_and_not_lines() -> None:
    try:
        raise ValueError("no\nsuch thing")
    except ValueError:
        error = sys.exc_info()
    record = logging.LogRecord("shop", logging.ERROR, "f.py", 1, "failed", (), error)

    text = JsonFormatter().format(record)

    assert len(text.splitlines()) == 1
    assert json.loads(text)["error"] == "ValueError: no\nsuch thing"
    assert "test_an_exception" in json.loads(text)["traceback"]
