"""`python -m webapp.jobqueue`: run jobs until SIGINT or SIGTERM."""

import logging
import sys

from atode import AtodeError, run
from atode.observe.logs import log_events
from atode.processes import work
from webapp.jobqueue.registration import QUEUES
from webapp.log import log_to_standard_error
from webapp.service.failure import TransientFailure
from webapp.settings import Settings, SettingsError, load_settings
from webapp.signals import exit_cleanly_on_signals
from webapp.wiring import prepare, store_name, wire

logger = logging.getLogger("webapp.jobqueue")


def main() -> None:
    """Load the settings and work; exits with 0 after a clean stop.

    With several processes, this one looks after them, and each comes here again.
    """
    exit_cleanly_on_signals()
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.exit(str(error))
    log_to_standard_error(settings.log)
    try:
        ended_well = run(_work(settings))
    except (AtodeError, OSError) as error:
        sys.exit(f"The job server cannot use {store_name(settings)}: {error}")
    except TransientFailure as error:
        sys.exit(f"The job server cannot prepare its database: {error}")
    if not ended_well:
        sys.exit(1)


async def _work(settings: Settings) -> bool:
    wiring = wire(settings)
    log_events(wiring.jobs.events)
    async with wiring.database:
        await prepare(settings, wiring)
        logger.info("Job server (%s) runs jobs from %s", settings.environment, store_name(settings))
        return await work(
            wiring.jobs,
            processes=settings.worker.processes,
            metrics=settings.worker.metrics,
            concurrency=settings.worker.concurrency,
            queues=QUEUES,
            lease=settings.worker.lease,
            shutdown_timeout=settings.worker.shutdown_timeout,
            schedules=settings.worker.schedules,
        )


if __name__ == "__main__":
    main()
