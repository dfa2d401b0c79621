"""What turns the members of groups into batches, as commands for one transaction."""

import json
from collections.abc import Sequence

from atode.broker.sqlite import _operations, _queue
from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._rows import job_of
from atode.broker.sqlite._transaction import Transaction, array
from atode.clock import Clock
from atode.group import Group, Member
from atode.job import Job

_MOST_BYTES = 1_000_000
"""Bytes of payloads after which no more members are read: no batch takes more."""


def groups(tx: Transaction, queues: Sequence[str]) -> Sequence[Group]:
    """The groups that have members."""
    return [Group(queue, *row) for queue in queues for row in tx.rows(sql.GROUPS, queue)]


def members(tx: Transaction, queue: str, group: str, limit: int) -> Sequence[Member]:
    """The first members of a group."""
    [found] = tx.row(sql.PICK_MEMBERS, queue, group, limit)
    chosen: list[int] = []
    left = _MOST_BYTES
    for seq, size in json.loads(found):
        if left > 0:
            chosen.append(seq)
        left -= size
    rows = tx.rows(sql.JOBS_OF, array(chosen))
    return [Member(job_of(row), b"%d" % seq) for seq, row in zip(chosen, rows, strict=True)]


def merge(
    tx: Transaction,
    clock: Clock,
    queue: str,
    group: str,
    members: Sequence[Member],
    jobs: Sequence[Job],
) -> bool:
    """Put jobs in place of members; False if one of these has gone meanwhile."""
    found = _still_in(tx, queue, group, members)
    stored = [tx.row(sql.STORED_AS, queue, job.id) for job in jobs]
    if len(found) < len(members) or any(stored):
        return all(stored)
    _operations.remove_jobs(tx, found)
    _queue.enqueue(tx, clock, jobs)
    return True


def release(
    tx: Transaction, clock: Clock, queue: str, group: str, members: Sequence[Member]
) -> int:
    """Put those members in line that are still in the group."""
    return _operations.put_in_line(tx, clock, queue, _still_in(tx, queue, group, members))


def _still_in(tx: Transaction, queue: str, group: str, members: Sequence[Member]) -> Sequence[int]:
    numbers = array(int(member.receipt) for member in members)
    [found] = tx.row(sql.STILL_IN, numbers, queue, group)
    return list(json.loads(found))
