"""Jobs that stand still, and what keeps them."""

from collections.abc import Iterator

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._link import Ask
from atode.finding import Finding, Severity
from atode.presence import presence_from_json
from atode.progress import (
    LATE,
    LONGEST_LEASE,
    Progress,
    Seen,
    clock_findings,
    lease_findings,
    lock_findings,
    progress_findings,
    served_queues,
    task_findings,
)

_GONE = 60.0


async def findings(ask: Ask, known: float | None) -> list[Finding]:
    """What is wrong with the workers and the queues; `known` is now, or the database says it."""
    [[now]] = await ask(sql.MOMENT, known)
    workers = [
        Seen(presence_from_json(body), expires) for _, expires, body in await ask(sql.PRESENCES)
    ]
    found = [*clock_findings(workers, now), *_dead(workers, now)]
    served = served_queues(workers, now)
    for (queue,) in await ask(sql.QUEUES):
        found += await _queue(ask, queue, queue in served, now)
    return found


def _dead(workers: list[Seen], now: float) -> Iterator[Finding]:
    dead = [each.presence.worker for each in workers if each.expires < now - _GONE]
    if dead:
        text = (
            f"workers that ended without taking their leave: {len(dead):,}; the first is {dead[0]}"
        )
        remedy = "--fix forgets them; if they were not killed on purpose, see their logs"
        yield Finding(Severity.INFO, "dead-worker", "workers", text, remedy, fixable=True)


async def _queue(ask: Ask, queue: str, served: bool, now: float) -> list[Finding]:
    found: list[Finding] = []
    for stats in await ask(sql.STATS, queue):
        paused, waiting_since = stats[:2]
        counts = {row[0]: row[1] for row in await ask(sql.COUNTS, queue)}
        [(overdue, abandoned)] = await ask(sql.PROGRESS, queue, now - LATE)
        pending = counts.get("pending", 0)
        progress = Progress(
            *(queue, served, paused, 0.0), *(pending, waiting_since or 0.0, overdue, abandoned)
        )
        found += progress_findings(progress, now)
    [(endless,)] = await ask(sql.ENDLESS, queue, now + LONGEST_LEASE)
    found += lease_findings(queue, endless)
    [(orphans, first)] = await ask(sql.ORPHANS, queue, now)
    found += lock_findings(queue, orphans, first)
    unknown = [(task, number) for task, number in await ask(sql.UNKNOWN, queue)]
    found += task_findings(queue, unknown)
    return found
