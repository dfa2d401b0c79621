"""Logs go to standard error; standard output belongs to what the jobs print."""

import logging
import sys

from webapp.settings.choices import LogLevel


def log_to_standard_error(level: LogLevel) -> None:
    """Write log records of `level` and above, one line each."""
    logging.basicConfig(
        stream=sys.stderr,
        level=level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    # uvicorn announces each step of its start and end; our own lines say it in one.
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, logging.root.level))
    # Each start of the demo would tell of tables that are there.
    logging.getLogger("alembic").setLevel(max(logging.WARNING, logging.root.level))
