"""What the worker goes through, as log lines."""

import logging

from atode import BrokerRefused
from atode.events import (
    BrokerBack,
    BrokerLost,
    ClaimLost,
    Event,
    Events,
    JobArchived,
    JobReleased,
    JobRetrying,
    JobStarted,
    JobSucceeded,
    ServiceFailed,
    ThreadStuck,
    WorkerStarted,
    WorkerStopped,
    WorkerStopping,
)
from atode.observe.logs import log_events, logger
from webapp.service.outage_log import OutageLog

_ALWAYS: tuple[type[Event], ...] = (
    ClaimLost,
    JobArchived,
    JobReleased,
    JobRetrying,
    ThreadStuck,
    WorkerStarted,
    WorkerStopped,
    WorkerStopping,
)
_FOR_DEBUGGING: tuple[type[Event], ...] = (JobStarted, JobSucceeded)


def log_worker_events(events: Events, outage: OutageLog) -> None:
    """Log what the library logs, except that an outage takes two lines.

    A worker's services lose the store one by one and report each of their tries.
    """
    chosen = Events()
    log_events(chosen)
    for kind in (*_ALWAYS, *(_FOR_DEBUGGING if logger.isEnabledFor(logging.DEBUG) else ())):
        events.subscribe(kind, chosen.publish)

    def failed(event: ServiceFailed) -> None:
        if isinstance(event.error, BrokerRefused):
            outage.lost(str(event.error))
        else:
            chosen.publish(event)

    events.subscribe(ServiceFailed, failed)
    events.subscribe(BrokerLost, lambda event: outage.lost(event.error))
    events.subscribe(BrokerBack, lambda _: outage.back())
