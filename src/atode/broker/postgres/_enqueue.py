"""Storing new jobs, as steps that somebody else runs: on our connection, or on the caller's."""

import random
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, TypeVar

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._bell import News
from atode.broker.postgres._link import Ask, Rows
from atode.broker.postgres._rows import Keys, columns_of, id_of, keys_of, locks_of
from atode.broker.protocol import Refused
from atode.job import Job, State

T = TypeVar("T")


class Step(NamedTuple):
    """A statement to run; its rows are to be sent back."""

    statement: str
    values: Sequence[object]


Steps = Generator[Step, Rows, T]


async def walked(steps: Steps[T], ask: Ask) -> T:
    """Run steps one after the other; what they return."""
    try:
        step = next(steps)
        while step:
            step = steps.send(await ask(step.statement, *step.values))
    except StopIteration as end:
        value: T = end.value
        return value
    raise AssertionError("steps end by returning")


def walked_here(steps: Steps[T], ask: Callable[..., Rows]) -> T:
    """The same where asking blocks."""
    try:
        step = next(steps)
        while step:
            step = steps.send(ask(step.statement, *step.values))
    except StopIteration as end:
        value: T = end.value
        return value
    raise AssertionError("steps end by returning")


class Delivery(NamedTuple):
    """Jobs to store, and what goes with them."""

    jobs: Sequence[Job]
    now: float | None
    batch: int
    channel: str
    words: Sequence[str]


def new_batch() -> int:
    """A number that no other call has."""
    return random.SystemRandom().getrandbits(63)


def news_of(jobs: Sequence[Job]) -> list[News]:
    """Whom new jobs concern; of many delayed ones of a queue, the earliest is told."""
    pending = State.PENDING
    queues = {job.queue for job in jobs if job.state is pending}
    due: dict[str, float] = {}
    for job in [job for job in jobs if job.state is not pending]:
        if job.state in (State.SCHEDULED, State.RETRY):
            due[job.queue] = min(job.due, due.get(job.queue, job.due))
    return [News("pending", queue) for queue in queues] + [
        News("due", queue, instant) for queue, instant in due.items()
    ]


def storing(delivery: Delivery) -> Steps[list[Refused]]:
    """The steps that store jobs; the refused ones are returned.

    With unique jobs among them, they belong into one transaction.
    """
    if not any(job.unique_for for job in delivery.jobs):
        return (yield from _insert(delivery, delivery.jobs))
    refused: list[Refused] = []
    for number, part in enumerate(_parts(delivery.jobs)):
        # As if they came in calls of their own.
        one = delivery._replace(jobs=part, batch=delivery.batch ^ number)
        refused += yield from _storing_unique(one)
    return refused


def values_of(delivery: Delivery, jobs: Sequence[Job], keys: Keys) -> Sequence[object]:
    """What enqueue.sql needs to store these."""
    columns = columns_of(jobs, keys)
    return (delivery.now, delivery.batch, *columns, delivery.channel, delivery.words)


def _insert(delivery: Delivery, jobs: Sequence[Job]) -> Steps[list[Refused]]:
    """Store jobs; those whose id is taken are returned."""
    keys = keys_of(jobs)
    [row] = yield Step(sql.ENQUEUE, values_of(delivery, jobs, keys))
    number, queues, ids = row[:3]
    if number == len(jobs):
        return []
    stored = set(zip(queues or (), ids or (), strict=True))
    # If this is sent a second time, the first one may have stored them.
    rows = yield Step(sql.SAME_BATCH, (delivery.batch, keys.ids))
    stored |= {(queue, str(job_id)) for queue, job_id in rows}
    refused: list[Refused] = []
    for job, stored_id in zip(jobs, keys.ids, strict=True):
        key = job.queue, stored_id
        if key in stored:
            # Of two with one id, only the first.
            stored.discard(key)
        else:
            refused.append(Refused(job, job.id))
    return refused


def _parts(jobs: Sequence[Job]) -> Iterator[list[Job]]:
    """Jobs in parts in which no id comes twice; nearly always one."""
    part: dict[tuple[str, str], Job] = {}
    for job in jobs:
        if (job.queue, job.id) in part:
            yield list(part.values())
            part = {}
        part[job.queue, job.id] = job
    yield list(part.values())


def _taken(delivery: Delivery, jobs: Sequence[Job]) -> Steps[set[int]]:
    """Which of these jobs have an id that another call's job has: their places in memory."""
    ids = keys_of(jobs).ids
    rows = yield Step(sql.TAKEN, (delivery.batch, ids))
    taken = {(queue, str(job_id)) for queue, job_id in rows}
    return {
        id(job) for job, stored_id in zip(jobs, ids, strict=True) if (job.queue, stored_id) in taken
    }


def _storing_unique(delivery: Delivery) -> Steps[list[Refused]]:
    jobs = delivery.jobs
    rivals = [job for job in jobs if job.unique_for]
    taken: set[int] = set()
    if len({(job.queue, job.unique) for job in rivals}) < len(rivals):
        taken = yield from _taken(delivery, rivals)
    # Of those that do the same in one call, the first is tried whose id is free.
    first: dict[tuple[str, str], Job] = {}
    for job in rivals:
        if id(job) not in taken:
            first.setdefault((job.queue, job.unique), job)
    columns = locks_of(list(first.values()))
    rows = yield Step(sql.LOCK, (delivery.now, delivery.batch, *columns))
    locked = {(queue, text) for queue, text in rows}
    tried = [job for job in jobs if not job.unique_for or _holds(job, first, locked)]
    refused: list[Refused] = []
    if tried:
        refused = yield from _insert(delivery, tried)
    returned = [(job.queue, job.unique) for job, _ in refused if job.unique_for]
    for queue, texts in _by_queue(returned):
        yield Step(sql.UNLOCK, (delivery.batch, queue, texts))
    holders = {lock: first[lock].id for lock in locked}
    for queue, texts in _by_queue(lock for lock in first if lock not in locked):
        for text, job_id, name in (yield Step(sql.HOLDERS, (queue, texts))):
            holders[queue, text] = id_of(job_id, name)
    tried_ones = {id(job) for job in tried}
    untried = [job for job in rivals if id(job) not in tried_ones]
    if untried:
        taken = yield from _taken(delivery, untried)
    return refused + [
        # Its holder may have gone in this moment.
        Refused(job, job.id if id(job) in taken else holders.get((job.queue, job.unique), job.id))
        for job in untried
    ]


def _holds(job: Job, first: dict[tuple[str, str], Job], locked: set[tuple[str, str]]) -> bool:
    lock = job.queue, job.unique
    return lock in locked and first[lock] is job


def _by_queue(locks: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    for queue, group in groupby(sorted(locks), key=itemgetter(0)):
        yield queue, [text for _, text in group]
