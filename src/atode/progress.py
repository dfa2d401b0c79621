"""Whether the jobs of a queue move: what brokers count, and what it means."""

from collections.abc import Iterator
from typing import NamedTuple

from atode.finding import Finding, Severity

LATE = 120.0
"""Seconds after which every kind of worker has seen to an expired lease or a due job."""

_LONG_WAIT = 3600.0


class Progress(NamedTuple):
    """How a queue stands at one moment. Instants are Unix seconds; 0 means none or unknown."""

    queue: str
    served: bool
    """Whether a living worker serves it."""
    paused: bool
    paused_at: float
    pending: int
    waiting_since: float
    """Of the job that is next in line."""
    overdue: int
    """Scheduled and retry jobs that were due LATE seconds ago."""
    abandoned: int
    """Active jobs whose lease ran out LATE seconds ago."""


def progress_findings(progress: Progress, now: float) -> Iterator[Finding]:
    """What keeps the queue's jobs from moving."""
    if progress.paused:
        since = f", for {_hours(now - progress.paused_at)} now" if progress.paused_at else ""
        remedy = f"to let it go on: atode queues resume {progress.queue}"
        yield _finding(progress, Severity.INFO, "paused", f"it is paused{since}", remedy)
    if progress.served:
        yield from _slow(progress, now)
    elif progress.pending or progress.overdue or progress.abandoned:
        kinds = (
            (progress.pending, "pending"),
            (progress.overdue, "overdue"),
            (progress.abandoned, "left active by a dead worker"),
        )
        jobs = ", ".join(f"{number:,} {kind}" for number, kind in kinds if number)
        text = f"no living worker serves it, and jobs wait: {jobs}"
        remedy = f"start one: atode worker MODULE:APP --queue {progress.queue}"
        yield _finding(progress, Severity.ERROR, "no-worker", text, remedy)


def _slow(progress: Progress, now: float) -> Iterator[Finding]:
    waited = now - progress.waiting_since if progress.waiting_since else 0.0
    if waited > _LONG_WAIT and not progress.paused:
        text = (
            f"the next job has waited for {_hours(waited)}; pending jobs in line: "
            f"{progress.pending:,}"
        )
        remedy = "start more workers, or raise their concurrency or the queue's weight"
        yield _finding(progress, Severity.WARNING, "long-wait", text, remedy)
    if progress.overdue:
        text = f"jobs overdue by minutes, which no worker makes pending: {progress.overdue:,}"
        remedy = "see the workers' logs, and compare the clocks of their machines"
        yield _finding(progress, Severity.ERROR, "overdue", text, remedy)
    if progress.abandoned:
        text = (
            f"jobs that have lost their worker and that no other recovers: {progress.abandoned:,}"
        )
        remedy = "see the workers' logs; a restarted atode worker recovers what can be recovered"
        yield _finding(progress, Severity.ERROR, "abandoned", text, remedy)


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:,.1f} hours"


def _finding(progress: Progress, severity: Severity, code: str, what: str, remedy: str) -> Finding:
    subject = f"queue {progress.queue}"
    return Finding(severity, code, subject, what, remedy, queue=progress.queue)
