"""Events as log lines, through the standard library's logger `atode`.

Levels: error wakes someone, warning repairs itself, info is the life of a worker, debug the
life of each job.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

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

logger = logging.getLogger("atode")

EVENT = "atode_event"
"""Attribute of a log record that holds the event it tells of."""


def log_events(events: Events) -> None:
    """Write a line for each event from now on.

    Set the logger's level first: events below it are not even built, which is what keeps
    logging off the hot path.
    """
    for kind, level, text in _LINES:
        if logger.isEnabledFor(level):
            events.subscribe(kind, _writer(level, text))
    outage = _OutageLines()
    events.subscribe(BrokerLost, outage.lost)
    events.subscribe(BrokerBack, outage.back)


class _OutageLines:
    """A warning when the broker goes and a line when it is back for all services.

    Each of a worker's services notices by itself, and reports its every try; those are
    for debugging.
    """

    def __init__(self) -> None:
        self._without_broker: set[str] = set()

    def lost(self, event: BrokerLost) -> None:
        level = logging.DEBUG if self._without_broker else logging.WARNING
        self._without_broker.add(event.service)
        text = f"{event.service}: {event.error}; next try in {event.pause:.1f} s"
        _log(level, text, event)

    def back(self, event: BrokerBack) -> None:
        self._without_broker.discard(event.service)
        level = logging.DEBUG if self._without_broker else logging.INFO
        text = f"{event.service}: the broker answers again after {event.seconds:.1f} s"
        _log(level, text, event)


def _writer(level: int, text: Callable[[Any], str]) -> Callable[[Event], None]:
    return lambda event: _log(level, text(event), event)


def _log(level: int, text: str, event: Event) -> None:
    # The event itself goes along, for handlers that write fields instead of text.
    logger.log(level, text, extra={EVENT: event})


def _name(job: Job) -> str:
    return f"{job.task or 'unreadable job'} {job.id} ({job.queue})"


def _first_line(error: str) -> str:
    return error.partition("\n")[0]


def _at(instant: float) -> str:
    return datetime.fromtimestamp(instant).strftime("%H:%M:%S")


def _enqueued(event: JobEnqueued) -> str:
    due = f", due at {_at(event.job.due)}" if event.job.due else ""
    return f"{_name(event.job)} enqueued{due}"


def _started(event: JobStarted) -> str:
    return f"{_name(event.job)} started"


def _succeeded(event: JobSucceeded) -> str:
    return f"{_name(event.job)} succeeded in {event.seconds:.3f} s"


def _retrying(event: JobRetrying) -> str:
    job = event.job
    return (
        f"{_name(job)} failed, retry {job.retried} of {job.max_retry} at {_at(job.due)}: "
        f"{_first_line(job.error)}"
    )


def _archived(event: JobArchived) -> str:
    return f"{_name(event.job)} failed for good and is archived: {event.job.error}"


def _cancelled(event: JobCancelled) -> str:
    return f"{_name(event.job)} was cancelled after {event.seconds:.3f} s and is archived"


def _snoozed(event: JobSnoozed) -> str:
    return f"{_name(event.job)} snoozed until {_at(event.job.due)}"


def _released(event: JobReleased) -> str:
    return f"{_name(event.job)} handed back, for this worker stops"


def _batch_made(event: BatchMade) -> str:
    return f"{_name(event.job)} made of {event.items} items of group {event.group!r}"


def _tick_skipped(event: TickSkipped) -> str:
    return f"schedule {event.schedule!r}: tick of {_at(event.at)} became no job: one is in the way"


def _schedule_failed(event: ScheduleFailed) -> str:
    return f"schedule {event.schedule!r}: {type(event.error).__name__}: {event.error}"


def _claim_lost(event: ClaimLost) -> str:
    return f"{_name(event.job)} is no longer ours: its lease ran out, or it was deleted"


def _ending_ignored(event: EndingIgnored) -> str:
    return (
        f"{_name(event.job)} is completed, for the transaction that says so was committed; how its "
        f"handler ended does not count: {_first_line(event.ending)}"
    )


def _left_open(event: TransactionLeftOpen) -> str:
    return (
        f"{_name(event.job)} has returned, but the transaction in which it was completed is still "
        f"open after {event.seconds:.0f} s: commit it or roll it back"
    )


def _stuck(event: HandlerStuck) -> str:
    return f"{_name(event.job)} goes on though it was interrupted, and keeps its slot"


def _failed(event: ServiceFailed) -> str:
    return f"{event.service}: {type(event.error).__name__}: {event.error}"


def _subscriber_failed(event: SubscriberFailed) -> str:
    what = event.event.__class__.__name__
    return f"a subscriber of {what} raised {type(event.error).__name__}: {event.error}"


def _worker_started(event: WorkerStarted) -> str:
    return (
        f"worker {event.worker} serves {', '.join(event.queues)} with {event.concurrency} slots; "
        f"tasks: {', '.join(event.tasks) or 'none'}"
    )


def _worker_resized(event: WorkerResized) -> str:
    return f"worker {event.worker} has {event.concurrency} slots now, and had {event.before}"


def _worker_stopping(event: WorkerStopping) -> str:
    return f"worker {event.worker} stops; {event.running} jobs still run"


def _worker_stopped(event: WorkerStopped) -> str:
    return f"worker {event.worker} stopped; {event.released} jobs handed back"


_LINES: tuple[tuple[type[Event], int, Callable[[Any], str]], ...] = (
    (JobEnqueued, logging.DEBUG, _enqueued),
    (JobStarted, logging.DEBUG, _started),
    (JobSucceeded, logging.DEBUG, _succeeded),
    (JobSnoozed, logging.DEBUG, _snoozed),
    (JobReleased, logging.INFO, _released),
    (JobCancelled, logging.INFO, _cancelled),
    (JobRetrying, logging.WARNING, _retrying),
    (JobArchived, logging.ERROR, _archived),
    (BatchMade, logging.DEBUG, _batch_made),
    (TickSkipped, logging.INFO, _tick_skipped),
    (ScheduleFailed, logging.ERROR, _schedule_failed),
    (ClaimLost, logging.WARNING, _claim_lost),
    (EndingIgnored, logging.WARNING, _ending_ignored),
    (TransactionLeftOpen, logging.WARNING, _left_open),
    (HandlerStuck, logging.WARNING, _stuck),
    (ServiceFailed, logging.ERROR, _failed),
    (SubscriberFailed, logging.ERROR, _subscriber_failed),
    (WorkerStarted, logging.INFO, _worker_started),
    (WorkerResized, logging.INFO, _worker_resized),
    (WorkerStopping, logging.INFO, _worker_stopping),
    (WorkerStopped, logging.INFO, _worker_stopped),
)
