"""What operators do to queues, as commands for one transaction.

Those that move many jobs move so many at a time that claims are not held up; `in_parts`
repeats them.
"""

import json
from collections.abc import Collection, Sequence
from functools import partial
from typing import Protocol

from atode.broker.protocol import Which
from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._inspect import PICK, counts
from atode.broker.sqlite._transaction import Transaction, array
from atode.broker.sqlite._upkeep import MOST_AT_ONCE
from atode.broker.sqlite._writer import Writer
from atode.clock import Clock
from atode.job import ARCHIVABLE, CANCELLABLE, DELETABLE, RUNNABLE, State
from atode.outcome import CANCELLED


class Operation(Protocol):
    """Does something to at most `limit` of the jobs; returns to how many."""

    def __call__(
        self, tx: Transaction, *, clock: Clock, queue: str, which: Which, limit: int
    ) -> int: ...


async def in_parts(
    writer: Writer, operation: Operation, clock: Clock, queue: str, which: Which
) -> int:
    """Do it to all of the jobs, in several transactions if they are many; how many it were.

    Of a state, as many as are in it now: jobs that keep coming in do not make it endless.
    """
    command = partial(operation, clock=clock, queue=queue)
    done = 0
    if isinstance(which, State):
        left = (await writer.call(partial(counts, queue=queue), writes=False))[which]
        some = left
        while left > 0 and some:
            limit = min(left, MOST_AT_ONCE)
            some = await writer.call(partial(command, which=which, limit=limit))
            done += some
            left -= some
        return done
    ids = list(dict.fromkeys(which))
    for start in range(0, len(ids), MOST_AT_ONCE):
        part = ids[start : start + MOST_AT_ONCE]
        done += await writer.call(partial(command, which=part, limit=len(part)))
    return done


def run(tx: Transaction, *, clock: Clock, queue: str, which: Which, limit: int) -> int:
    """Put jobs at the end of the line."""
    return put_in_line(tx, clock, queue, _chosen(tx, queue, which, RUNNABLE, limit))


def archive(tx: Transaction, *, clock: Clock, queue: str, which: Which, limit: int) -> int:
    """Move jobs into the archive."""
    chosen = _chosen(tx, queue, which, ARCHIVABLE, limit)
    return tx.change(sql.ARCHIVE, array(chosen), clock.now())


def cancel(tx: Transaction, *, clock: Clock, queue: str, which: Which, limit: int) -> int:
    """Archive jobs that wait, and mark running ones."""
    waiting = _chosen(tx, queue, which, CANCELLABLE - {State.ACTIVE}, limit)
    running = _chosen(tx, queue, which, {State.ACTIVE}, limit)
    number = tx.change(sql.CANCEL, array(waiting), clock.now(), CANCELLED)
    if running:
        number += tx.change(sql.MARK, array(running), clock.now())
        tx.now_cancelled(queue)
    return number


def active_ids(tx: Transaction, queue: str) -> Sequence[str]:
    """The ids of a queue's running jobs."""
    [found] = tx.row(sql.ACTIVE_IDS, queue)
    ids: list[str] = json.loads(found)
    return ids


def delete(tx: Transaction, *, clock: Clock, queue: str, which: Which, limit: int) -> int:
    """Delete jobs, and unlock what they have locked."""
    del clock
    return remove_jobs(tx, _chosen(tx, queue, which, DELETABLE, limit))


def replace_payload(tx: Transaction, queue: str, job_id: str, payload: bytes) -> bool:
    """Give a scheduled job other arguments; whether there is one."""
    return bool(tx.change(sql.REPLACE_PAYLOAD, queue, job_id, payload))


def pause(tx: Transaction, queue: str) -> bool:
    """Let nothing more be claimed; whether that is new."""
    return bool(tx.change(sql.PAUSE, queue))


def resume(tx: Transaction, queue: str) -> bool:
    """Let the queue go on; whether that is new."""
    was_paused = bool(tx.change(sql.RESUME, queue))
    tx.change(sql.OWN_PAUSE, queue)
    if was_paused:
        tx.now_ready(queue)
    return was_paused


async def remove(writer: Writer, queue: str, *, force: bool) -> bool:
    """Remove a queue with all that belongs to it, unless it holds jobs."""
    begun, ended = await writer.call(partial(_begin_removal, queue=queue, force=force))
    while begun and not ended:
        ended = await writer.call(partial(_clear, queue=queue))
    return begun


def _begin_removal(tx: Transaction, queue: str, force: bool) -> tuple[bool, bool]:
    has_jobs, has_active = tx.row(sql.HOLDS, queue)
    if has_active or (has_jobs and not force):
        return False, False
    # No job becomes active between this part and the next ones. Who dies in between leaves
    # a paused queue, to be removed again.
    tx.change(sql.PAUSE, queue)
    return True, _clear(tx, queue)


def _clear(tx: Transaction, queue: str) -> bool:
    """Delete some jobs; once none is left, the rest of the queue. Whether all is gone."""
    [found] = tx.row(sql.PICK_ANY, queue, MOST_AT_ONCE)
    if remove_jobs(tx, json.loads(found)) == MOST_AT_ONCE:
        return False
    for statement in (
        *(sql.UNLOCK_QUEUE, sql.FORGET_TALLIES, sql.FORGET_TICKS, sql.FORGET_MOVE),
        *(sql.FORGET_RECEIVED, sql.FORGET_QUEUE, sql.RESUME),
    ):
        tx.change(statement, queue)
    return True


def _chosen(
    tx: Transaction, queue: str, which: Which, states: Collection[State], limit: int
) -> Sequence[int]:
    if not isinstance(which, State):
        [found] = tx.row(sql.PICK_IDS, queue, array(which), array(states))
    elif which in states:
        [found] = tx.row(PICK[which], queue, limit, 0)
    else:
        return []
    chosen: list[int] = json.loads(found)
    return chosen


def put_in_line(tx: Transaction, clock: Clock, queue: str, chosen: Sequence[int]) -> int:
    """Make rows pending, last in line; how many it were."""
    if chosen:
        first = tx.next_number()
        tx.change(sql.RUN, array(chosen), first, clock.now())
        tx.give_numbers(first + len(chosen))
        tx.now_ready(queue)
    return len(chosen)


def remove_jobs(tx: Transaction, chosen: Sequence[int]) -> int:
    """Delete rows, and unlock what they have locked; how many it were."""
    if not chosen:
        return 0
    numbers = array(chosen)
    tx.change(sql.UNLOCK_JOBS, numbers)
    return tx.change(sql.DELETE, numbers)
