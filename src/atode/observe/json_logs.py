"""Log records as JSON, one object per line, for machines that collect logs."""

import json
import logging
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from atode.events import Event, JobEnqueued, JobRetrying
from atode.job import Job, State
from atode.observe.logs import EVENT


class JsonFormatter(logging.Formatter):
    """One JSON object per record, of any logger: `time` (UTC), `level`, `logger`, `message`.

    Records of atode's events also have `event`, and what the event tells: `job_id`, `task`,
    `queue`, `attempt`, `duration` (seconds), `error` (one line), `traceback`, `worker` and so on.
    Arguments, results and headers of jobs are never written. `process`, the number of this process
    among several of one program, goes along if it is given.
    """

    def __init__(self, *, process: int | None = None) -> None:
        super().__init__()
        self._about_us: Mapping[str, Any] = {} if process is None else {"process": process}

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        fields: dict[str, Any] = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            **self._about_us,
            "message": record.getMessage(),
        }
        event: Event | None = getattr(record, EVENT, None)
        if event is not None:
            # The rest of a long one, the traceback, has a field of its own.
            fields["message"] = fields["message"].partition("\n")[0]
            fields |= _told(event)
        if record.exc_info and record.exc_info[1]:
            fields |= _raised(record.exc_info[1])
        return json.dumps(fields, ensure_ascii=False, default=str)


def _told(event: Event) -> Mapping[str, Any]:
    fields: dict[str, Any] = {"event": _name(event)}
    for name, value in event._asdict().items():
        match name, value:
            case _, Job():
                fields |= _about(value, event)
            case "seconds", _:
                fields["duration"] = round(value, 6)
            case _, BaseException():
                fields |= _raised(value)
            case "event", _:
                # What a subscriber failed to hear.
                fields["about"] = _name(value)
            case _:
                fields[name] = value
    return fields


def _name(event: Event) -> str:
    """`JobRetrying` → `job_retrying`."""
    words = type(event).__name__
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in words).removeprefix("_")


def _about(job: Job, event: Event) -> Mapping[str, Any]:
    fields: dict[str, Any] = {
        "job_id": job.id,
        "task": job.task,
        "queue": job.queue,
        "state": job.state.value,
        "max_retry": job.max_retry,
    }
    failed = isinstance(event, JobRetrying)
    if not isinstance(event, JobEnqueued):
        # A failure that is retried is counted already.
        fields["attempt"] = job.retried + (not failed)
    if job.state in (State.SCHEDULED, State.RETRY):
        fields["due"] = _time(job.due)
    # The error of an earlier attempt is none of this one's.
    if failed or job.state is State.ARCHIVED:
        fields["error"], _, where = job.error.partition("\n")
        if where:
            fields["traceback"] = where
    return fields


def _time(instant: float) -> str:
    moment = datetime.fromtimestamp(instant, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _raised(error: BaseException) -> Mapping[str, Any]:
    return {
        "error": "".join(traceback.format_exception_only(error)).strip(),
        "traceback": "".join(traceback.format_tb(error.__traceback__)),
    }
