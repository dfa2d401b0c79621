"""Jobs that move from store to store, as script calls."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from atode.broker.redis import messages
from atode.broker.redis._batches import (
    CHUNK_BYTES,
    exact_due,
    nanoseconds,
    read_due,
    told,
    waiting_since,
)
from atode.broker.redis._link import Reply
from atode.broker.redis._scripts import GIVE, GIVEN, RECEIVE, Argument, Command
from atode.broker.redis.keys import keys_of, raw_id, text_id
from atode.job import State
from atode.outcome import cancelled
from atode.transfer import Left, Moved, Stamp

_PARTS = 9
"""Values for each job in a reply of give.lua."""

_DELAYED = frozenset({State.SCHEDULED, State.RETRY})
_NOT_ENCODABLE = (ValueError, TypeError, OverflowError)


class Written(NamedTuple):
    """A job as receive.lua takes it."""

    id: str
    arguments: tuple[Argument, ...]
    due: float
    """When it is due if it waits for that, else infinity."""
    is_rounded: bool


def give_command(queue: str, state: State, mover: str, offset: int, limit: int) -> Command:
    """Asks for jobs in a state."""
    keys = keys_of(queue)
    return GIVE.call(
        (keys.containers[state], keys.paused, keys.move),
        *(keys.jobs, keys.group, keys.unique, state.value, offset, limit, CHUNK_BYTES, mover),
    )


def read_moved(parts: Sequence[Reply], queue: str, state: State) -> Iterator[Moved]:
    """The jobs in a reply of give.lua."""
    for start in range(0, len(parts), _PARTS):
        raw, score, message, result, due, since, mark, group, left = parts[start : start + _PARTS]
        read = messages.read(message, queue, text_id(raw), state)
        problem = read.problem if message else "its key holds no message"
        instant = read_due(due, score) if state in _DELAYED else 0.0
        job = read.job._replace(result=result, due=instant)
        moved = Moved(
            job,
            _since(state, since, score),
            max(left, 0) / 1000,
            text_id(group),
            message,
            problem,
        )
        yield _archived(moved, float(mark)) if mark and not problem else moved


def given_command(queue: str, ids: Sequence[str], stamp: Stamp) -> Command:
    """Deletes what has arrived elsewhere."""
    keys = keys_of(queue)
    names: list[Argument] = [raw_id(job_id) for job_id in ids]
    return GIVEN.call(
        (*keys.unheld, keys.move, keys.received),
        *(keys.jobs, keys.group, keys.unique, stamp.mover, str(stamp)),
        *names,
    )


def receive_command(queue: str, written: Sequence[Written], stamp: Stamp, now: float) -> Command:
    """Stores what comes from elsewhere."""
    keys = keys_of(queue)
    soonest = min(each.due for each in written)
    return RECEIVE.call(
        (*keys.unheld, keys.move, keys.received, keys.visits),
        *(keys.jobs, keys.group, stamp.mover, stamp.number, keys.soon),
        told(soonest, now),
        *[argument for each in written for argument in each.arguments],
    )


def written(jobs: Sequence[Moved]) -> tuple[list[Written], list[Left]]:
    """Jobs in asynq's format, and those that it cannot hold."""
    found: list[Written] = []
    left: list[Left] = []
    for moved in jobs:
        try:
            found.append(_written(moved))
        except _NOT_ENCODABLE as error:
            left.append(Left(moved.job.id, f"asynq's format cannot hold it: {error}"))
    return found, left


def _written(moved: Moved) -> Written:
    job = moved.job
    waits = job.state in _DELAYED
    lock = keys_of(job.queue).unique + job.unique if moved.lock_left else ""
    arguments: tuple[Argument, ...] = (
        raw_id(job.id),
        moved.native or messages.encoded(job),
        job.state.value,
        _score(moved),
        exact_due(job.due) if waits else "",
        nanoseconds(moved.since) if job.state is State.PENDING and moved.since else "",
        job.result,
        raw_id(moved.group),
        lock,
        # A lock takes whole milliseconds, and no zero.
        math.ceil(moved.lock_left * 1000) if lock else "",
    )
    durations = (job.timeout, job.deadline, job.retention)
    is_rounded = not moved.native and any(duration % 1 for duration in durations)
    return Written(job.id, arguments, job.due if waits else math.inf, is_rounded)


def _score(moved: Moved) -> int:
    job = moved.job
    match job.state:
        case State.SCHEDULED | State.RETRY:
            return math.ceil(job.due)
        case State.COMPLETED:
            return math.ceil(job.kept_until)
        case _:
            return math.floor(moved.since)


def _archived(moved: Moved, at: float) -> Moved:
    # A Go worker had it when it was cancelled, and did not see the mark; see claim.lua.
    native = moved.native + messages.cancellation(at)
    return moved._replace(job=cancelled(moved.job, at), since=at, native=native)


def _since(state: State, since: bytes, score: bytes) -> float:
    match state:
        case State.PENDING:
            return waiting_since(since)
        case State.ARCHIVED | State.AGGREGATING:
            return float(score)
        case _:
            return 0.0
