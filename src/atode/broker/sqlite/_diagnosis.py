"""Finding out what is wrong with a file and with the jobs in it."""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial

from atode.broker.sqlite import _health, _inspect
from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._file import File
from atode.broker.sqlite._transaction import Transaction
from atode.finding import Finding, Mended
from atode.job import State
from atode.presence import presence_from_json
from atode.progress import (
    LATE,
    LONGEST_LEASE,
    Progress,
    Seen,
    clock_findings,
    lease_findings,
    leases_ended,
    lock_findings,
    progress_findings,
    served_queues,
    task_findings,
)


class Diagnosis(File):
    """A physician's eyes and hands."""

    async def examine(self) -> Sequence[Finding]:
        """What is wrong, seen through a connection of its own that cannot write."""
        return await asyncio.to_thread(_examined, self._writer.path, self._clock.now())

    async def mend(self, findings: Sequence[Finding]) -> Sequence[Mended]:
        """Put right what is fixable; errors as for all calls, and what was done stays done."""
        done: list[Mended] = []
        for each in findings:
            text = ""
            if each.fixable and each.code == "log":
                text = await asyncio.to_thread(_health.empty_log, self._writer.path)
            elif each.fixable and each.code == "endless-lease":
                command = partial(_shorten, queue=each.queue, now=self._clock.now())
                text = leases_ended(await self._writer.call(command))
            if text:
                done.append(Mended(each.code, each.subject, text))
        return done


def _examined(path: str, now: float) -> list[Finding]:
    found = _health.outside_findings(path)
    try:
        file = _health.opened(path)
        with closing(file.db):
            found += _health.inside_findings(file)
            if _health.is_ours(file):
                file.db.execute("BEGIN")
                found += _job_findings(Transaction(file.db), now)
    except (sqlite3.Error, OSError, ValueError) as error:
        found.append(_health.unreadable(path, error))
    return found


def _job_findings(tx: Transaction, now: float) -> Iterator[Finding]:
    workers = [
        Seen(presence_from_json(body), expires) for _, expires, body in tx.rows(sql.PRESENCES)
    ]
    yield from clock_findings(workers, now)
    served = served_queues(workers, now)
    for queue in _inspect.queues(tx):
        yield from _progress(tx, queue, queue in served, now)
        yield from lease_findings(queue, *tx.row(sql.ENDLESS, queue, now + LONGEST_LEASE))
        yield from lock_findings(queue, *tx.row(sql.ORPHANS, queue, now))
        yield from task_findings(queue, tx.rows(sql.UNKNOWN, queue))


def _progress(tx: Transaction, queue: str, served: bool, now: float) -> Iterator[Finding]:
    stats = _inspect.stats(tx, queue)
    if stats is None:
        return
    overdue, abandoned = tx.row(sql.PROGRESS, queue, now - LATE)
    pending = stats.counts[State.PENDING]
    progress = Progress(
        *(queue, served, stats.paused, 0.0),
        *(pending, stats.waiting_since, overdue, abandoned),
    )
    yield from progress_findings(progress, now)


def _shorten(tx: Transaction, queue: str, now: float) -> int:
    return tx.change(sql.SHORTEN, queue, now + LONGEST_LEASE, now)
