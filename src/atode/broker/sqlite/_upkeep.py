"""What keeps queues moving, as commands for one transaction."""

from collections.abc import Sequence

from atode.broker.sqlite import _cancels
from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._queue import hold
from atode.broker.sqlite._rows import claims_of, seq_of
from atode.broker.sqlite._transaction import Transaction
from atode.clock import Clock
from atode.job import Claim
from atode.presence import Presence, presence_from_json

MOST_AT_ONCE = 1000
"""Jobs that are promoted or pruned in one transaction, so that claims are not held up."""

ARCHIVE_SIZE = 10_000
ARCHIVE_AGE = 90 * 86_400.0


def promote(tx: Transaction, clock: Clock, queues: Sequence[str]) -> float | None:
    """Put due jobs in line; returns the next instant at which there may be more."""
    now = clock.now()
    next_due: float | None = None
    for queue in queues:
        due = _next_due(tx, queue)
        if due is not None and due <= now:
            first = tx.next_number()
            promoted = tx.change(sql.PROMOTE, queue, now, MOST_AT_ONCE, first)
            tx.give_numbers(first + promoted)
            tx.now_ready(queue)
            due = _next_due(tx, queue)
        if due is not None:
            next_due = due if next_due is None else min(due, next_due)
    return next_due


def reap(
    tx: Transaction, clock: Clock, queues: Sequence[str], limit: int, lease: float, worker: str
) -> Sequence[Claim]:
    """Take over jobs whose lease has run out."""
    now = clock.now()
    claims: list[Claim] = []
    for queue in queues:
        if len(claims) == limit:
            break
        [found] = tx.row(sql.EXPIRED, queue, limit - len(claims), now)
        claims += claims_of(found, queue, worker, now + lease)
    marked = _cancels.marked_of(tx, claims)
    return [claim._replace(cancelled=seq_of(claim) in marked) for claim in hold(tx, claims)]


def prune(tx: Transaction, clock: Clock, queue: str) -> int:
    """Delete some of what nobody wants any more; how many went, 0 when all is gone."""
    now = clock.now()
    return (
        tx.change(sql.PRUNE_COMPLETED, queue, now, MOST_AT_ONCE)
        or tx.change(sql.PRUNE_OLD, queue, now - ARCHIVE_AGE, MOST_AT_ONCE)
        or tx.change(sql.PRUNE_SURPLUS, queue, ARCHIVE_SIZE, MOST_AT_ONCE)
    )


def workers(tx: Transaction, clock: Clock) -> Sequence[Presence]:
    """The workers that live."""
    return [presence_from_json(body) for (body,) in tx.rows(sql.WORKERS, clock.now())]


def _next_due(tx: Transaction, queue: str) -> float | None:
    due: float | None
    [due] = tx.row(sql.NEXT_DUE, queue)
    return due
