"""The turns of a mover, as commands for one transaction."""

import json
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from atode.broker.sqlite import _operations, _queue
from atode.broker.sqlite import _statements as sql
from atode.broker.sqlite._inspect import PICK
from atode.broker.sqlite._rows import Row, job_of, problem_of, received_row_of
from atode.broker.sqlite._transaction import Transaction, array
from atode.clock import Clock
from atode.errors import BrokerRefused
from atode.job import State
from atode.transfer import Arrival, Departure, Left, Moved, Stamp, goes_on, id_taken, superseded

_MOST_BYTES = 1_000_000
"""Bytes of payloads and results after which no more jobs are given at once."""


class _Move(NamedTuple):
    """How the move of a queue stands."""

    mover: str
    given: str
    receives: bool
    pauses: bool
    """Whether the queue is paused for the move only."""
    is_paused: bool


def start_giving(tx: Transaction, queue: str, mover: str) -> Departure:
    """Pause the queue, and note who moves it."""
    is_new = tx.change(sql.PAUSE, queue)
    tx.change(sql.START_MOVE, queue, mover, 0, is_new)
    move = _own_move(tx, queue, mover)
    return Departure(Stamp.of(move.given), not move.pauses)


def give(
    tx: Transaction, clock: Clock, queue: str, state: State, mover: str, offset: int, limit: int
) -> Sequence[Moved]:
    """The first jobs in a state."""
    if not _own_move(tx, queue, mover).is_paused:
        raise goes_on(queue)
    [chosen] = tx.row(PICK[state], queue, limit, offset)
    extras = tx.rows(sql.GIVE, chosen, _MOST_BYTES, clock.now())
    rows: list[Row] = tx.rows_as_stored(sql.JOBS_OF, array(seq for seq, _, _ in extras))
    return [
        Moved.of(job_of(row), since, lock_left)._replace(problem=problem_of(row))
        for row, (_, since, lock_left) in zip(rows, extras, strict=True)
    ]


def given(
    tx: Transaction, clock: Clock, queue: str, ids: Sequence[str], stamp: Stamp
) -> Sequence[str]:
    """Delete what has arrived; the ids of jobs that cannot be deleted."""
    if _own_move(tx, queue, stamp.mover).given == str(stamp):
        return []
    tx.change(sql.NOTE_GIVEN, queue, str(stamp))
    # Whoever gives a job away may get it back.
    tx.change(sql.FORGET_IDS, queue, array(ids))
    _operations.delete(tx, clock=clock, queue=queue, which=ids, limit=len(ids))
    [found] = tx.row(sql.PICK_IDS, queue, array(ids), array([State.ACTIVE]))
    return [row[0] for row in tx.rows(sql.JOBS_OF, found)]


def start_receiving(
    tx: Transaction, queue: str, mover: str, given: Stamp | None, paused: bool
) -> None:
    """Note who moves the queue, and forget what is gone from where it came."""
    move = _move(tx, queue)
    if paused and not (move and move.receives):
        tx.change(sql.PAUSE, queue)
    tx.change(sql.START_MOVE, queue, mover, 1, 0)
    if given:
        tx.change(sql.FORGET_GIVEN, queue, *given)


def receive(
    tx: Transaction, clock: Clock, queue: str, jobs: Sequence[Moved], stamp: Stamp
) -> Arrival:
    """Store jobs as they were, but for those that were received before or may not be stored."""
    _own_move(tx, queue, stamp.mover)
    tx.change(sql.FORGET_GIVEN, queue, stamp.mover, stamp.number - 1)
    ids = array(moved.job.id for moved in jobs)
    known: set[str] = set(json.loads(tx.row(sql.KNOWN, queue, ids)[0]))
    now = clock.now()
    new = [moved for moved in jobs if moved.job.id not in known]
    texts = array((queue, job.id, job.unique if left else "") for job, _, left, *_ in new)
    obstacles: list[tuple[int, int, str | None]] = json.loads(tx.row(sql.OBSTACLES, texts, now)[0])
    refused: list[Left] = []
    unlocked: list[str] = []
    fresh: list[Moved] = []
    for place, is_taken, holder in sorted(obstacles, key=itemgetter(0)):
        moved = new[place]
        if is_taken:
            refused.append(id_taken(moved.job.id))
            continue
        fresh.append(moved)
        if holder is not None:
            unlocked.append(moved.job.id)
    _store(tx, queue, fresh)
    _lock(tx, now, fresh, unlocked)
    stay = {left.job_id for left in refused}
    tx.change_many(
        sql.REMEMBER,
        [(queue, moved.job.id, *stamp) for moved in jobs if moved.job.id not in stay],
    )
    return Arrival(refused, unlocked)


def finish(tx: Transaction, queue: str, mover: str) -> None:
    """Forget the move, if this mover was the last."""
    if tx.change(sql.FINISH_MOVE, queue, mover):
        tx.change(sql.FORGET_RECEIVED, queue)


def _own_move(tx: Transaction, queue: str, mover: str) -> _Move:
    move = _move(tx, queue)
    if move is None or move.mover != mover:
        raise superseded(queue)
    return move


def _move(tx: Transaction, queue: str) -> _Move | None:
    row = tx.row(sql.MOVE, queue)
    return _Move(*row) if row else None


def _lock(tx: Transaction, now: float, jobs: Sequence[Moved], unlocked: Sequence[str]) -> None:
    rows = [
        (job.queue, job.unique, job.id, now + left)
        for job, _, left, *_ in jobs
        if left and job.id not in unlocked
    ]
    tx.change_many(sql.LOCK, rows)


def _store(tx: Transaction, queue: str, jobs: Sequence[Moved]) -> None:
    first = tx.next_number()
    tx.give_numbers(first + len(jobs))
    tx.change_many(sql.MEET, [(queue,)])
    stored = tx.change_many(
        sql.RECEIVE,
        [received_row_of(number, moved) for number, moved in enumerate(jobs, start=first)],
    )
    if stored < len(jobs):
        raise BrokerRefused(f"{len(jobs) - stored} jobs of queue {queue!r} cannot be stored")
    _queue.tell(tx, (moved.job for moved in jobs))
