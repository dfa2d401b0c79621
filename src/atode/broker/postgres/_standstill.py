"""Jobs that stand still, and what keeps them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import NamedTuple

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._link import Rows
from atode.finding import Finding, Severity
from atode.presence import Presence, presence_from_json
from atode.progress import LATE, Progress, progress_findings

LONGEST_LEASE = 2 * 3600.0
"""Seconds: twice the longest lease that a worker may have."""

_LONGEST_PRESENCE = 600.0
_SKEW = 3.0
_GONE = 60.0

Ask = Callable[..., Awaitable[Rows]]
"""Runs a statement that reads."""


class Seen(NamedTuple):
    """A worker, and until when it is known to live."""

    presence: Presence
    expires: float


async def findings(ask: Ask, known: float | None) -> list[Finding]:
    """What is wrong with the workers and the queues; `known` is now, or the database says it."""
    [[now]] = await ask(sql.MOMENT, known)
    workers = [
        Seen(presence_from_json(body), expires) for _, expires, body in await ask(sql.PRESENCES)
    ]
    found = [*_clocks(workers, now), *_dead(workers, now)]
    served = {
        queue
        for presence, expires in workers
        if expires > now and presence.status == "active"
        for queue in presence.queues
    }
    for (queue,) in await ask(sql.QUEUES):
        found += [each async for each in _queue(ask, queue, queue in served, now)]
    return found


def _clocks(workers: list[Seen], now: float) -> Iterator[Finding]:
    for presence, expires in workers:
        ahead = max(presence.started_at - now, expires - now - _LONGEST_PRESENCE)
        if ahead > _SKEW:
            text = f"it lives {ahead:,.0f} s in the future: one of two clocks was or is wrong"
            remedy = "let the machine follow NTP; jobs that were stored meanwhile may be late"
            yield Finding(Severity.WARNING, "clock", f"worker {presence.worker}", text, remedy)


def _dead(workers: list[Seen], now: float) -> Iterator[Finding]:
    dead = [each.presence.worker for each in workers if each.expires < now - _GONE]
    if dead:
        text = (
            f"workers that ended without taking their leave: {len(dead):,}; the first is {dead[0]}"
        )
        remedy = "--fix forgets them; if they were not killed on purpose, see their logs"
        yield Finding(Severity.INFO, "dead-worker", "workers", text, remedy, fixable=True)


async def _queue(ask: Ask, queue: str, served: bool, now: float) -> AsyncIterator[Finding]:
    for stats in await ask(sql.STATS, queue):
        paused, waiting_since = stats[:2]
        counts = {row[0]: row[1] for row in await ask(sql.COUNTS, queue)}
        [(overdue, abandoned)] = await ask(sql.PROGRESS, queue, now - LATE)
        pending = counts.get("pending", 0)
        progress = Progress(
            *(queue, served, paused, 0.0), *(pending, waiting_since or 0.0, overdue, abandoned)
        )
        for each in progress_findings(progress, now):
            yield each
    [(endless,)] = await ask(sql.ENDLESS, queue, now + LONGEST_LEASE)
    if endless:
        text = f"active jobs with a lease of hours, which a wrong clock has given: {endless:,}"
        remedy = "--fix ends it, and a worker recovers them"
        yield _of_queue(queue, Severity.ERROR, "endless-lease", text, remedy, fixable=True)
    [(orphans, first)] = await ask(sql.ORPHANS, queue, now)
    if orphans:
        text = (
            "locks of unique jobs that are gone, which refuse others until they expire: "
            f"{orphans:,}; the first is {first!r}"
        )
        yield _of_queue(queue, Severity.WARNING, "orphaned-lock", text, "wait for that")
    for task, number in await ask(sql.UNKNOWN, queue):
        text = f"archived jobs that failed because no worker knew the task {task!r}: {number:,}"
        remedy = "start a worker that has it, then `atode jobs run`; or delete the jobs"
        yield _of_queue(queue, Severity.WARNING, "unknown-task", text, remedy)


def _of_queue(
    queue: str, severity: Severity, code: str, what: str, remedy: str, *, fixable: bool = False
) -> Finding:
    return Finding(severity, code, f"queue {queue}", what, remedy, fixable, queue)
