"""Cancelling jobs, each call a transaction or a few."""

from collections.abc import Sequence
from functools import partial

from atode.broker.protocol import Which
from atode.broker.sqlite import _cancels, _operations, _queue
from atode.broker.sqlite._inspection import Inspection
from atode.broker.sqlite._rows import seq_of
from atode.broker.sqlite._transaction import Transaction
from atode.job import Claim, State


class Cancelling(Inspection):
    """Marks in the jobs' rows."""

    async def cancel(self, queue: str, which: Which) -> int:
        if which is State.ACTIVE:
            # They stay where they are, so that there is no "first so many that are left".
            which = await self._writer.call(
                partial(_operations.active_ids, queue=queue), writes=False
            )
        return await self._in_parts(_operations.cancel, queue, which)

    async def marked(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        return await self._writer.call(partial(_marked, claims=claims), writes=False)


def _marked(tx: Transaction, claims: Sequence[Claim]) -> Sequence[Claim]:
    marked = _cancels.marked_of(tx, claims)
    found = (claim for claim in claims if seq_of(claim) in marked)
    # One by one: an old claim and a new one may be on the same row.
    return [claim for claim in found if not _queue.lost_of(tx, [claim])]
