"""The marks of running jobs that were cancelled, as commands for one transaction."""

import json
from collections.abc import Iterable, Sequence

from atode.broker.protocol import Cancellation
from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._rows import seq_of
from atode.broker.sqlite._transaction import Transaction, array
from atode.job import Claim, State
from atode.outcome import Settlement, cancelled

_AGAIN = frozenset({State.RETRY, State.PENDING})


def marks(tx: Transaction, queues: Sequence[str]) -> frozenset[Cancellation]:
    """The running jobs that are marked."""
    return frozenset(
        Cancellation(job_id, queue) for queue in queues for (job_id,) in tx.rows(sql.MARKS, queue)
    )


def has_news(tx: Transaction, queues: Sequence[str], told: frozenset[Cancellation]) -> bool:
    """Whether a running job is marked of which nobody was told."""
    return bool(marks(tx, queues) - told)


def marked_of(tx: Transaction, claims: Iterable[Claim]) -> set[int]:
    """The rows of those claims whose jobs are marked."""
    return _marked(tx, [seq_of(claim) for claim in claims])


def none_runs_again(
    tx: Transaction, settlements: dict[int, Settlement], now: float
) -> dict[int, Settlement]:
    """The settlements, by row, so that no marked job runs again."""
    again = [seq for seq, (_, after, _) in settlements.items() if after and after.state in _AGAIN]
    changed: dict[int, Settlement] = {}
    for seq in _marked(tx, again):
        claim, after, tally = settlements[seq]
        changed[seq] = Settlement(claim, cancelled(after or claim.job, now), tally)
    return {**settlements, **changed} if changed else settlements


def _marked(tx: Transaction, seqs: Sequence[int]) -> set[int]:
    if not seqs:
        return set()
    [found] = tx.row(sql.MARKED, array(seqs))
    return set(json.loads(found))
