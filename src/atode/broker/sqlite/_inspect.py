"""What looking at queues reads, as commands for one transaction."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._rows import job_of
from atode.broker.sqlite._transaction import Transaction
from atode.clock import Clock
from atode.job import Job, State
from atode.statistics import Day, QueueStats

# In the order of counts.sql.
_COUNTED = (
    State.PENDING,
    State.SCHEDULED,
    State.ACTIVE,
    State.RETRY,
    State.ARCHIVED,
    State.COMPLETED,
    State.AGGREGATING,
)

PICK: Mapping[State, str] = MappingProxyType(
    {
        State.PENDING: sql.PICK_PENDING,
        State.SCHEDULED: sql.PICK_SCHEDULED,
        State.ACTIVE: sql.PICK_ACTIVE,
        State.RETRY: sql.PICK_RETRY,
        State.ARCHIVED: sql.PICK_ARCHIVED,
        State.COMPLETED: sql.PICK_COMPLETED,
        State.AGGREGATING: sql.PICK_AGGREGATING,
    }
)
"""Per state, the statement that finds its jobs in their order."""


def get(tx: Transaction, queue: str, job_id: str) -> Job | None:
    """The job, or None."""
    row = tx.row(sql.GET, queue, job_id)
    return job_of(row) if row else None


def find(tx: Transaction, queue: str, state: State, offset: int, limit: int) -> Sequence[Job]:
    """Jobs in a state, in its order."""
    [chosen] = tx.row(PICK[state], queue, limit, offset)
    return [job_of(row) for row in tx.rows(sql.JOBS_OF, chosen)]


def counts(tx: Transaction, queue: str) -> Mapping[State, int]:
    """How many jobs are in each state."""
    return dict(zip(_COUNTED, tx.row(sql.COUNTS, queue), strict=True))


def queues(tx: Transaction) -> Sequence[str]:
    """The names of all queues."""
    return [queue for (queue,) in tx.rows(sql.QUEUES)]


def stats(tx: Transaction, queue: str) -> QueueStats | None:
    """How a queue stands, or None if nobody knows it."""
    row = tx.row(sql.STATS, queue)
    if row is None:
        return None
    is_paused, waiting_since, succeeded, failed = row
    return QueueStats(
        queue=queue,
        counts=counts(tx, queue),
        paused=bool(is_paused),
        waiting_since=waiting_since or 0.0,
        processed=succeeded + failed,
        failed=failed,
    )


def history(tx: Transaction, clock: Clock, queue: str, days: int) -> Sequence[Day]:
    """What a queue did on each of the last days, today first."""
    today = datetime.fromtimestamp(clock.now(), UTC).date()
    wanted = [today - timedelta(days=ago) for ago in range(days)]
    rows = tx.rows(sql.HISTORY, queue, wanted[-1].isoformat(), today.isoformat())
    found = {date.fromisoformat(day): (well, badly) for day, well, badly in rows}
    endings = [(day, *found.get(day, (0, 0))) for day in wanted]
    return [Day(day, well + badly, badly) for day, well, badly in endings]
