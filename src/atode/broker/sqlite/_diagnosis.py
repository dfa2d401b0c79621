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
from atode.finding import Finding, Mended, Severity
from atode.job import State
from atode.presence import Presence, presence_from_json
from atode.progress import LATE, Progress, progress_findings

_LONGEST_LEASE = 2 * 3600.0
"""Seconds: twice the longest lease that a worker may have."""

_LONGEST_PRESENCE = 600.0
_SKEW = 3.0


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
                number = await self._writer.call(command)
                text = (
                    f"leases ended, so that a worker recovers the jobs: {number:,}"
                    if number
                    else ""
                )
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
    workers = [(presence_from_json(body), expires) for _, expires, body in tx.rows(sql.PRESENCES)]
    served = {
        queue
        for presence, expires in workers
        if expires > now and presence.status == "active"
        for queue in presence.queues
    }
    for presence, expires in workers:
        yield from _clock(presence, expires, now)
    for queue in _inspect.queues(tx):
        yield from _progress(tx, queue, queue in served, now)
        yield from _leases(tx, queue, now)
        yield from _locks(tx, queue, now)
        yield from _tasks(tx, queue)


def _clock(presence: Presence, expires: float, now: float) -> Iterator[Finding]:
    ahead = max(presence.started_at - now, expires - now - _LONGEST_PRESENCE)
    if ahead > _SKEW:
        text = f"it lives {ahead:,.0f} s in the future: one of two clocks was or is wrong"
        remedy = "let the machine follow NTP; jobs that were stored meanwhile may be late"
        yield Finding(Severity.WARNING, "clock", f"worker {presence.worker}", text, remedy)


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


def _leases(tx: Transaction, queue: str, now: float) -> Iterator[Finding]:
    [number] = tx.row(sql.ENDLESS, queue, now + _LONGEST_LEASE)
    if number:
        text = f"active jobs with a lease of hours, which a wrong clock has given: {number:,}"
        remedy = "--fix ends it, and a worker recovers them"
        yield _of_queue(queue, Severity.ERROR, "endless-lease", text, remedy, fixable=True)


def _locks(tx: Transaction, queue: str, now: float) -> Iterator[Finding]:
    number, first = tx.row(sql.ORPHANS, queue, now)
    if number:
        text = (
            "locks of unique jobs that are gone, which refuse others until they expire: "
            f"{number:,}; the first is {first!r}"
        )
        yield _of_queue(queue, Severity.WARNING, "orphaned-lock", text, "wait for that")


def _tasks(tx: Transaction, queue: str) -> Iterator[Finding]:
    for task, number in tx.rows(sql.UNKNOWN, queue):
        text = f"archived jobs that failed because no worker knew the task {task!r}: {number:,}"
        remedy = "start a worker that has it, then `atode jobs run`; or delete the jobs"
        yield _of_queue(queue, Severity.WARNING, "unknown-task", text, remedy)


def _shorten(tx: Transaction, queue: str, now: float) -> int:
    return tx.change(sql.SHORTEN, queue, now + _LONGEST_LEASE, now)


def _of_queue(
    queue: str, severity: Severity, code: str, what: str, remedy: str, *, fixable: bool = False
) -> Finding:
    return Finding(severity, code, f"queue {queue}", what, remedy, fixable, queue)
