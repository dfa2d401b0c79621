"""A job as people read it."""

import json
from collections.abc import Sequence

from atode.cli._documents import first_words, parsed
from atode.cli._job_pages import Entry
from atode.cli._layout import block, fields, plain, table
from atode.cli._times import NONE, local, relative, span
from atode.errors import BrokerRefused
from atode.job import Job, State
from atode.presence import Presence, Running

Holder = tuple[Presence, Running]
"""The worker that runs a job, and what it says about it."""

_BROKEN = "(broken)"  # its stored form names no task
_WIDEST = 200  # of an error or a payload in a list that goes into a pipe


def job_table(entries: Sequence[Entry], now: float) -> str:
    """One line a job: its last error, or its arguments where it has none."""
    rows = [
        [
            entry.id,
            entry.task or _BROKEN,
            _when(entry, now),
            f"{entry.retried}/{entry.max_retry}",
            _gist(entry),
        ]
        for entry in entries
        if isinstance(entry, Job)
    ]
    broken = [f"a job {plain(str(each))}" for each in entries if isinstance(each, BrokerRefused)]
    shown = [table(["ID", "TASK", "WHEN", "RETRIED", "LAST ERROR, OR PAYLOAD"], rows, elastic=True)]
    return "\n".join((shown if rows else []) + broken)


def job_text(job: Job, holder: Holder | None, now: float) -> str:
    """Everything about one job."""
    parts = [fields(_facts(job, holder, now))]
    parts.append(f"payload\n{_content(job.payload)}")
    if job.result:
        parts.append(f"result\n{_content(job.result)}")
    if job.error:
        parts.append(f"error\n{block(job.error)}")
    return "\n\n".join(parts)


def _facts(job: Job, holder: Holder | None, now: float) -> list[tuple[str, str]]:
    waits = job.state in {State.SCHEDULED, State.RETRY}
    optional = [
        ("due", local(job.due, now) if waits else ""),
        ("held by", f"{holder[0].worker} {local(holder[1].started_at, now)}" if holder else ""),
        ("last failed", local(job.last_failed_at, now)),
        ("completed", local(job.completed_at, now)),
        ("kept until", local(job.kept_until, now) if job.completed_at > 0 else ""),
        ("unique", job.unique),
        ("group", job.group),
        *((f"header {plain(name)}", text) for name, text in job.headers.items()),
    ]
    return [
        ("id", job.id),
        ("task", job.task or _BROKEN),
        ("queue", job.queue),
        ("state", str(job.state)),
        ("retried", f"{job.retried} of {job.max_retry}"),
        ("timeout", span(job.timeout)),
        ("deadline", local(job.deadline, now)),
        ("retention", span(job.retention)),
        *((name, text) for name, text in optional if text not in {"", NONE}),
    ]


def _content(content: bytes) -> str:
    if not content:
        return "  (empty)"
    try:
        return block(json.dumps(parsed(content), indent=2, ensure_ascii=False))
    except ValueError:
        pass
    try:
        return block(content.decode("utf-8"))
    except UnicodeDecodeError:
        return f"  ({len(content):,} bytes, neither JSON nor text; --json has them in Base64)"


def _when(job: Job, now: float) -> str:
    match job.state:
        case State.SCHEDULED | State.RETRY:
            return relative(job.due, now)
        case State.COMPLETED:
            return relative(job.completed_at, now)
        case _:
            return relative(job.last_failed_at, now)


def _gist(job: Job) -> str:
    # The last line of a traceback names the error.
    lines = [line for line in job.error.splitlines() if line.strip()]
    text = first_words(job) if not lines else lines[0] if len(lines) == 1 else lines[-1].strip()
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
