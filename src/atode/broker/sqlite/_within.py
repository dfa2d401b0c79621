"""Enqueue and complete in the transaction of a caller's connection to the same file."""

import json
from collections.abc import Sequence
from functools import partial

from atode.broker.protocol import Refused
from atode.broker.sqlite import _queue
from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._caller import caller_of
from atode.broker.sqlite._file import File
from atode.broker.sqlite._rows import seq_of
from atode.broker.sqlite._transaction import Transaction, array
from atode.job import Job
from atode.outcome import Settlement, Written


class Within(File):
    """Writes through connections of the caller's: idle workers hear of it."""

    _path: str

    async def enqueue_within(self, transaction: object, jobs: Sequence[Job]) -> Sequence[Refused]:
        """Store new jobs in the open transaction of a connection of this thread or event loop."""
        command = partial(_queue.enqueue, clock=self._clock, jobs=jobs)
        return await caller_of(transaction, self._path).run(command, "enqueue_sync")

    def enqueue_within_sync(self, transaction: object, jobs: Sequence[Job]) -> Sequence[Refused]:
        """Store new jobs in the open transaction of a connection of this thread."""
        command = partial(_queue.enqueue, clock=self._clock, jobs=jobs)
        return caller_of(transaction, self._path).run_sync(command, "enqueue")

    async def settle_within(self, transaction: object, settlement: Settlement) -> Written | None:
        """Write a settlement in the open transaction of a connection of this thread or loop."""
        command = partial(_queue.settle, clock=self._clock, settlements=[settlement])
        refused = await caller_of(transaction, self._path).run(command, "complete_job_sync")
        return None if refused else Written(settlement)

    def settle_within_sync(self, transaction: object, settlement: Settlement) -> Written | None:
        """Write a settlement in the open transaction of a connection of this thread."""
        command = partial(_queue.settle, clock=self._clock, settlements=[settlement])
        refused = caller_of(transaction, self._path).run_sync(command, "complete_job")
        return None if refused else Written(settlement)

    async def committed(self, written: Sequence[Written]) -> Sequence[bool | None]:
        """Whether their transactions were committed. It waits for those that are open.

        A job that was taken over after all, and ended elsewhere without leaving anything behind,
        cannot be told from one that was completed here.
        """
        # As a write, so that no transaction is open that has written.
        return await self._writer.call(partial(_committed, written=written))


def _committed(tx: Transaction, written: Sequence[Written]) -> list[bool | None]:
    seqs = [seq_of(each.settlement.claim) for each in written]
    [found] = tx.row(sql.UNENDED, array(seqs))
    unended = set(json.loads(found))
    return [seq not in unended for seq in seqs]
