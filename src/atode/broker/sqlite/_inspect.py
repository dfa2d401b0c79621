"""What looking at queues reads, as commands for one transaction."""

from collections.abc import Mapping

from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._rows import job_of
from atode.broker.sqlite._transaction import Transaction
from atode.job import Job, State

# In the order of counts.sql.
_COUNTED = (
    State.PENDING,
    State.SCHEDULED,
    State.ACTIVE,
    State.RETRY,
    State.ARCHIVED,
    State.COMPLETED,
)


def get(tx: Transaction, queue: str, job_id: str) -> Job | None:
    """The job, or None."""
    row = tx.row(sql.GET, queue, job_id)
    return job_of(row) if row else None


def counts(tx: Transaction, queue: str) -> Mapping[State, int]:
    """How many jobs are in each state."""
    found: dict[State, int] = dict(zip(_COUNTED, tx.row(sql.COUNTS, queue), strict=True))
    return {state: found.get(state, 0) for state in State}
