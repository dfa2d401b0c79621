"""What `--json` prints: stable keys, instants as ISO 8601 in UTC, durations in seconds.

The text is ASCII, so that it survives every pipe.
"""

import base64
import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from atode.cli._times import iso
from atode.errors import AtodeError
from atode.finding import Finding, Mended
from atode.group import Group
from atode.job import Job, State
from atode.presence import Presence, Running
from atode.schedule import Entry, Fired
from atode.statistics import Day, QueueStats

Document = Mapping[str, Any]


def written(document: Document, *, one_line: bool = False) -> str:
    """The document as text."""
    return json.dumps(document, indent=None if one_line else 2, allow_nan=False)


def queue_document(stats: QueueStats, now: float) -> Document:
    """A queue."""
    waited = max(now - stats.waiting_since, 0.0) if stats.waiting_since else None
    share = failure_share(stats)
    return {
        "queue": stats.queue,
        "size": stats.size,
        "counts": {str(state): stats.counts.get(state, 0) for state in State},
        "paused": stats.paused,
        "waiting_since": iso(stats.waiting_since),
        "waiting_seconds": None if waited is None else round(waited, 3),
        "processed": stats.processed,
        "failed": stats.failed,
        "failure_share": None if share is None else round(share, 4),
        "memory_bytes": stats.memory or None,
    }


def broken_document(queue: str, error: AtodeError) -> Document:
    """A queue that cannot be read: its name, and why."""
    return {"queue": queue, "error": str(error)}


def day_document(day: Day) -> Document:
    """One day of a queue's history."""
    return {"date": day.date.isoformat(), "processed": day.processed, "failed": day.failed}


def group_document(group: Group) -> Document:
    """A group of a queue."""
    return {
        "group": group.name,
        "task": group.task or None,
        "size": group.size,
        "oldest": iso(group.oldest),
        "newest": iso(group.newest),
    }


def job_document(job: Job) -> Document:
    """A job with everything."""
    waits = job.state in {State.SCHEDULED, State.RETRY}
    return {
        "id": job.id,
        "task": job.task,
        "queue": job.queue,
        "state": str(job.state),
        "due": iso(job.due) if waits else None,
        "retried": job.retried,
        "max_retry": job.max_retry,
        "timeout_seconds": _seconds(job.timeout),
        "deadline": iso(job.deadline),
        "retention_seconds": _seconds(job.retention),
        "last_failed_at": iso(job.last_failed_at),
        "completed_at": iso(job.completed_at),
        "kept_until": iso(job.kept_until) if job.completed_at else None,
        "unique": job.unique or None,
        "group": job.group or None,
        "headers": dict(job.headers),
        "error": job.error or None,
        **_content("payload", job.payload),
        **_content("result", job.result),
    }


def server_document(presence: Presence) -> Document:
    """A living worker with its running jobs."""
    return {
        "id": presence.worker,
        "server_id": presence.server_id,
        "host": presence.host,
        "pid": presence.pid,
        "status": presence.status,
        "queues": dict(presence.queues),
        "strict": presence.strict,
        "busy": presence.running_count,
        "slots": presence.concurrency,
        "since": iso(presence.started_at),
        "jobs": [running_document(running) for running in presence.running],
    }


def running_document(running: Running) -> Document:
    """A job in a worker's hands."""
    return {
        "id": running.job_id,
        "task": running.task,
        "queue": running.queue,
        "since": iso(running.started_at),
        "deadline": iso(running.deadline),
        **_content("payload", running.payload),
    }


def entry_document(entry: Entry, *, paused: bool) -> Document:
    """A schedule that a living scheduler runs; what it does not say about its jobs is null."""
    options = entry.options
    return {
        "id": entry.id,
        "spec": entry.spec,
        "task": entry.task,
        "queue": options.queue,
        "max_retry": options.max_retry,
        "timeout_seconds": options.timeout,
        "unique_seconds": options.unique_for,
        "retention_seconds": options.retention,
        "other_options": list(options.others),
        "next": iso(entry.next),
        "prev": iso(entry.prev),
        "paused": paused,
        **_content("payload", entry.payload),
    }


def fired_document(fired: Fired) -> Document:
    """A job that a schedule became."""
    return {"job": fired.job_id, "at": iso(fired.at)}


def finding_document(finding: Finding) -> Document:
    """Something that an examination found."""
    return {
        "severity": str(finding.severity),
        "code": finding.code,
        "subject": finding.subject,
        "queue": finding.queue or None,
        "what": finding.what,
        "remedy": finding.remedy or None,
        "fixable": finding.fixable,
    }


def mended_document(mended: Mended) -> Document:
    """Something that was put right."""
    return {"code": mended.code, "subject": mended.subject, "what": mended.what}


def failure_share(figures: QueueStats | Day) -> float | None:
    """Failed attempts among all, from 0 to 1; None if there were none."""
    return figures.failed / figures.processed if figures.processed else None


def parsed(content: bytes) -> Any:
    """What the bytes say as strict JSON.

    Raises:
        ValueError: they are something else.
    """
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("too deeply nested") from None


def first_words(job: Job) -> str:
    """The job's arguments on one line."""
    try:
        text = json.dumps(parsed(job.payload), ensure_ascii=False)
    except ValueError:
        text = f"{len(job.payload)} bytes" if job.payload else ""
    return text


def _seconds(duration: float) -> float | None:
    return duration if duration and math.isfinite(duration) else None


def _content(name: str, content: bytes) -> Mapping[str, Any]:
    try:
        return {name: parsed(content), f"{name}_base64": None}
    except ValueError:
        raw = base64.b64encode(content).decode("ascii") if content else None
        return {name: None, f"{name}_base64": raw}


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
