"""What unique jobs lock, as commands for one transaction."""

import json
from collections.abc import Iterable, Sequence

from atode.broker.protocol import Refused
from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._transaction import Transaction, array
from atode.clock import Clock
from atode.job import Job
from atode.outcome import Settlement, Tally


def take(tx: Transaction, now: float, jobs: Sequence[Job]) -> dict[int, Refused]:
    """Lock what new unique jobs do; returns, by their place, those that may not be stored."""
    unique = [job for job in jobs if job.unique_for]
    [found] = tx.row(sql.OBSTACLES, array((job.queue, job.id, job.unique) for job in unique), now)
    obstacles = iter(sorted(json.loads(found)))
    refused: dict[int, Refused] = {}
    # What this call stores is in the way of what comes after it.
    ids: set[tuple[str, str]] = set()
    locks: dict[tuple[str, str], tuple[str, str, str, float]] = {}
    for place, job in enumerate(jobs):
        holder = None
        if job.unique_for:
            _, is_taken, holder = next(obstacles)
            lock = job.queue, job.unique
            if is_taken or (job.queue, job.id) in ids:
                holder = job.id
            elif lock in locks:
                holder = locks[lock][2]
            if holder is None:
                locks[lock] = (*lock, job.id, max(now, job.due) + job.unique_for)
            else:
                refused[place] = Refused(job, holder)
        if holder is None:
            ids.add((job.queue, job.id))
    tx.change_many(sql.LOCK, list(locks.values()))
    return refused


def release(tx: Transaction, settlements: Iterable[Settlement]) -> None:
    """Unlock what jobs have locked that succeeded."""
    done = [
        (job.queue, job.unique, job.id)
        for claim, _, tally in settlements
        if tally is Tally.SUCCESS and (job := claim.job).unique
    ]
    tx.change_many(sql.UNLOCK, done)


def prune(tx: Transaction, clock: Clock, queue: str, limit: int) -> int:
    """Remove some locks that have ended; how many."""
    return tx.change(sql.PRUNE_LOCKS, queue, clock.now(), limit)
