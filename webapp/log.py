"""Logs go to standard error; standard output belongs to what the jobs print."""

import logging
import sys

from atode.observe.json_logs import JsonFormatter
from webapp.settings.choices import LogFormat
from webapp.settings.model import LogSettings


def log_to_standard_error(settings: LogSettings) -> None:
    """Write log records of the level and above, one line each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter()
        if settings.format is LogFormat.JSON
        else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=settings.level.upper(), handlers=[handler])
    # uvicorn announces each step of its start and end; our own lines say it in one.
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, logging.root.level))
    # Each start of the demo would tell of tables that are there.
    logging.getLogger("alembic").setLevel(max(logging.WARNING, logging.root.level))
