"""Whether the jobs of a queue move, and what keeps them: what brokers count, and what it means."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from atode.finding import Finding, Severity
from atode.presence import Presence

LATE = 120.0
"""Seconds after which every kind of worker has seen to an expired lease or a due job."""

LONGEST_LEASE = 2 * 3600.0
"""Seconds: twice the longest lease that a worker may have."""

_LONG_WAIT = 3600.0
_LONGEST_PRESENCE = 600.0
_SKEW = 3.0


class Seen(NamedTuple):
    """A worker that showed itself, and until when it is known to live."""

    presence: Presence
    expires: float


def served_queues(workers: Iterable[Seen], now: float) -> set[str]:
    """The queues from which living workers claim."""
    return {
        queue
        for presence, expires in workers
        if expires > now and presence.status == "active"
        for queue in presence.queues
    }


def clock_findings(workers: Iterable[Seen], now: float) -> Iterator[Finding]:
    """Workers that live in the future."""
    for presence, expires in workers:
        ahead = max(presence.started_at - now, expires - now - _LONGEST_PRESENCE)
        if ahead > _SKEW:
            text = f"it lives {ahead:,.0f} s in the future: one of two clocks was or is wrong"
            remedy = "let the machine follow NTP; jobs that were stored meanwhile may be late"
            yield Finding(Severity.WARNING, "clock", f"worker {presence.worker}", text, remedy)


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
        yield _finding(progress.queue, Severity.INFO, "paused", f"it is paused{since}", remedy)
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
        yield _finding(progress.queue, Severity.ERROR, "no-worker", text, remedy)


def _slow(progress: Progress, now: float) -> Iterator[Finding]:
    waited = now - progress.waiting_since if progress.waiting_since else 0.0
    if waited > _LONG_WAIT and not progress.paused:
        text = (
            f"the next job has waited for {_hours(waited)}; pending jobs in line: "
            f"{progress.pending:,}"
        )
        remedy = "start more workers, or raise their concurrency or the queue's weight"
        yield _finding(progress.queue, Severity.WARNING, "long-wait", text, remedy)
    if progress.overdue:
        text = f"jobs overdue by minutes, which no worker makes pending: {progress.overdue:,}"
        remedy = "see the workers' logs, and compare the clocks of their machines"
        yield _finding(progress.queue, Severity.ERROR, "overdue", text, remedy)
    if progress.abandoned:
        text = (
            f"jobs that have lost their worker and that no other recovers: {progress.abandoned:,}"
        )
        remedy = "see the workers' logs; a restarted atode worker recovers what can be recovered"
        yield _finding(progress.queue, Severity.ERROR, "abandoned", text, remedy)


def lease_findings(queue: str, endless: int) -> Iterator[Finding]:
    """Active jobs whose lease ends later than LONGEST_LEASE from now."""
    if endless:
        text = f"active jobs with a lease of hours, which a wrong clock has given: {endless:,}"
        remedy = "--fix ends it, and a worker recovers them"
        yield _finding(queue, Severity.ERROR, "endless-lease", text, remedy, fixable=True)


def leases_ended(number: int) -> str:
    """What was done about them; empty if nothing was."""
    return f"leases ended, so that a worker recovers the jobs: {number:,}" if number else ""


def lock_findings(queue: str, orphans: int, first: str | None) -> Iterator[Finding]:
    """Locks whose jobs are gone, and what the first of them locks."""
    if orphans:
        text = (
            "locks of unique jobs that are gone, which refuse others until they expire: "
            f"{orphans:,}; the first is {first!r}"
        )
        yield _finding(queue, Severity.WARNING, "orphaned-lock", text, "wait for that")


def task_findings(queue: str, unknown: Iterable[tuple[str, int]]) -> Iterator[Finding]:
    """Archived jobs whose task no worker knew, by task."""
    for task, number in unknown:
        text = f"archived jobs that failed because no worker knew the task {task!r}: {number:,}"
        remedy = "start a worker that has it, then `atode jobs run`; or delete the jobs"
        yield _finding(queue, Severity.WARNING, "unknown-task", text, remedy)


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:,.1f} hours"


def _finding(
    queue: str, severity: Severity, code: str, what: str, remedy: str, *, fixable: bool = False
) -> Finding:
    return Finding(severity, code, f"queue {queue}", what, remedy, fixable, queue)
