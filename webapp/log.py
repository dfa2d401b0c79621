"""Logs go to standard error; standard output belongs to what the jobs print."""

import logging
import sys

from atode.lifeline import lifeline
from atode.observe.json_logs import JsonFormatter
from webapp.settings.choices import LogFormat
from webapp.settings.model import LogSettings


def log_to_standard_error(settings: LogSettings) -> None:
    """Write log records of the level and above, one line each; one of several processes says which
    it is."""
    line = lifeline()
    who = f"[{line.number}] " if line else ""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(process=line.number if line else None)
        if settings.format is LogFormat.JSON
        else logging.Formatter(f"%(asctime)s %(levelname)s %(name)s: {who}%(message)s")
    )
    logging.basicConfig(level=settings.level.upper(), handlers=[handler])
    # uvicorn announces each step of its start and end; our own lines say it in one.
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, logging.root.level))
    # Each start of the demo would tell of tables that are there.
    logging.getLogger("alembic").setLevel(max(logging.WARNING, logging.root.level))
