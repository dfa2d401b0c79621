"""Jobs, claims and settlements as script calls: per queue, in chunks that Lua can take."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Generic, NamedTuple, TypeVar

from atode.broker.protocol import Refused
from atode.broker.redis import messages
from atode.broker.redis._link import Reply
from atode.broker.redis._scripts import (
    ENQUEUE,
    EXTEND,
    MARKED,
    PRUNE,
    SETTLE,
    TICK,
    Argument,
    Command,
)
from atode.broker.redis.keys import QueueKeys, day_of, keys_of, raw_id, text_id
from atode.job import ARCHIVE_AGE, Claim, Job, State
from atode.outcome import Settlement, Tally
from atode.schedule import Tick

CHUNK = 500
"""Jobs in one script call: Lua's `unpack` ends at 8,000 values, and others want Redis too."""

NEW_CHUNK = 100
"""New jobs in one script call: each brings much text, and a lot of text makes Lua slower."""

CHUNK_BYTES = 1_000_000
"""Bytes of messages after which a script call takes no more of them."""

ARCHIVE_SIZE = 9_999
"""One less than elsewhere, as asynq keeps (8.5)."""
_LONGEST_LOCK = 100 * 365 * 86_400
_STATS_AGE = 90 * 86_400

_SOON = 1.5
"""Seconds. Who waits for due jobs looks at every whole second, so only a job that is due
before the next one is told of; the half second is for clocks that differ."""

Item = TypeVar("Item")


class Batch(NamedTuple, Generic[Item]):
    """Items of one queue that go to Redis in one script call."""

    items: Sequence[Item]
    command: Command

    def chosen(self, places: Sequence[int]) -> list[Item]:
        """The items that a script's reply means; it counts from 1."""
        return [self.items[place - 1] for place in places]


def lease_score(instant: float) -> str:
    """When a lease ends, as a score that is never a whole second.

    asynq writes whole ones and never reads them as integers, so this tells in Redis itself
    whose hands a job is in: a Go worker that takes it over changes no private field, but
    its dequeue overwrites this mark.
    """
    return f"{instant:.3f}5"


def claim_score(instant: float) -> str:
    """The same for the first lease of a claim, until it is extended.

    It is told apart from other leases of the same millisecond, so that the jobs of a claim
    whose answer got lost can be found by it.
    """
    return f"{instant:.3f}7"


def nanoseconds(instant: float) -> int:
    """As asynq writes the start of a wait; a float of Unix seconds knows microseconds only."""
    return math.floor(instant * 1e6) * 1000


def waiting_since(nanoseconds: bytes | None) -> float:
    """Since when a job waits; 0 where nobody knows. Anybody may write anything there."""
    # A float holds the microseconds, but not the nanoseconds.
    return int(nanoseconds) // 1000 / 1e6 if nanoseconds and nanoseconds.isdigit() else 0.0


def apart(jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    """New jobs in calls, one nearly always. Those with a group and those without are stored by
    different scripts; where one may be in the other's way, none overtakes another."""
    kinds: dict[bool, list[Job]] = {}
    for job in jobs:
        kinds.setdefault(bool(job.group), []).append(job)
    if len(kinds) < 2 or _takes(kinds[True]).isdisjoint(_takes(kinds[False])):
        yield jobs
        return
    for _, run in groupby(jobs, lambda job: bool(job.group)):
        yield list(run)


def _takes(jobs: Sequence[Job]) -> set[tuple[str, str, bool]]:
    """What only one job can have: ids and locks."""
    locks = {(job.queue, job.unique, True) for job in jobs if job.unique_for}
    return locks | {(job.queue, job.id, False) for job in jobs}


def new_chunks(jobs: Sequence[Job]) -> Iterator[Sequence[Job]]:
    """New jobs as one script call each takes them, in their order within each queue; those that
    have a group and those that have none are never together."""
    by_place: dict[tuple[str, bool], list[Job]] = {}
    for job in jobs:
        by_place.setdefault((job.queue, job.group == ""), []).append(job)
    for mine in by_place.values():
        yield from chunks(mine, job_bytes, NEW_CHUNK)


def enqueue_command(chunk: Sequence[Job], now: float) -> Command:
    """The script call that stores new jobs of one queue."""
    keys = keys_of(chunk[0].queue)
    arguments: list[Argument] = []
    locks: list[str] = []
    terms: list[Argument] = []
    soonest = math.inf
    for job, message in zip(chunk, messages.all_encoded(chunk), strict=True):
        if job.unique_for:
            locks.append(keys.unique + job.unique)
            terms += (len(arguments), lock_seconds(job, now))
        if job.state is State.SCHEDULED:
            soonest = min(soonest, job.due)
            arguments += (job.id, message, math.ceil(job.due), exact_due(job.due))
        else:
            arguments += (job.id, message, "", "")
    soon = told(soonest, now)
    common = (keys.jobs, nanoseconds(now), keys.soon, soon, len(locks), *terms, *arguments)
    return ENQUEUE.call((keys.pending, keys.scheduled, *locks), "0", *common)


def enqueue_again(command: Command) -> Command:
    """What is sent if the answer to an `enqueue_command` was lost: the script is told so."""
    if command[0] != "EVALSHA":
        return command
    # The first argument, behind the script's digest, the number of keys, and the keys.
    flag = 3 + int(command[2])
    return (*command[:flag], "1", *command[flag + 1 :])


def refusals(chunk: Sequence[Job], reply: Sequence[Reply]) -> Iterator[Refused]:
    """The jobs that enqueue.lua refused, with what was in their way."""
    for place, holder in zip(reply[::2], reply[1::2], strict=True):
        yield Refused(chunk[place - 1], text_id(holder))


def tick_command(tick: Tick, worker: str, now: float) -> Command:
    """The job of a tick, which counts only if it is later than the schedule's last one."""
    job = tick.job
    keys = keys_of(job.queue)
    key = keys.job(job.id)
    is_scheduled = job.state is State.SCHEDULED
    return TICK.call(
        (
            *(keys.ticks, keys.pending, keys.scheduled, key),
            keys.unique + job.unique if job.unique_for else key,
            keys.ticked,
        ),
        *(tick.schedule, repr(tick.at), worker, repr(now)),
        *(job.id, messages.encoded(job), nanoseconds(now)),
        math.ceil(job.due) if is_scheduled else "",
        exact_due(job.due) if is_scheduled else "",
        lock_seconds(job, now) if job.unique_for else "",
        keys.soon,
        told(job.due, now) if is_scheduled else "",
        "" if tick.may_overlap else keys.jobs,
    )


def lock_seconds(job: Job, now: float) -> int:
    """For how long a new unique job holds its lock."""
    # From now, as Redis measures it by its own clock; it takes whole seconds, and no zero.
    starts_in = job.due - now if job.state is State.SCHEDULED else 0.0
    # Instants are floats: a microsecond less is none.
    seconds = round(starts_in + job.unique_for, 6)
    return max(1, math.floor(min(seconds, _LONGEST_LOCK)))


def settle_batches(settlements: Sequence[Settlement], now: float) -> Iterator[Batch[Settlement]]:
    """How claims ended."""
    by_holder: dict[tuple[str, str], list[Settlement]] = {}
    for settlement in settlements:
        claim = settlement.claim
        by_holder.setdefault((claim.job.queue, claim.worker), []).append(settlement)
    for (queue, worker), mine in by_holder.items():
        # What comes last is first in line afterwards, if it goes back.
        for chunk in reversed(list(chunks(mine, _settlement_bytes))):
            yield _settle_batch(queue, worker, chunk, now)


def _settle_batch(
    queue: str, worker: str, settlements: Sequence[Settlement], now: float
) -> Batch[Settlement]:
    keys = keys_of(queue)
    second = math.floor(now)
    arguments: list[Argument] = []
    soonest = math.inf
    for claim, after, tally in settlements:
        if after is None:
            arguments += (claim.number, tally.value, "")
            continue
        if after.state is State.RETRY:
            soonest = min(soonest, after.due)
        arguments += (claim.number, tally.value, after.state.value, *_written(claim, after, now))
    unlocking = _unlocking(settlements)
    command = SETTLE.call(
        (*_settle_keys(keys, now), *[keys.unique + unique for unique in unlocking.values()]),
        keys.jobs,
        worker,
        second + _STATS_AGE,
        second - ARCHIVE_AGE,
        ARCHIVE_SIZE,
        keys.soon,
        told(soonest, now),
        second,
        messages.cancellation(now),
        len(settlements),
        *[raw_id(settlement.claim.job.id) for settlement in settlements],
        *arguments,
        *unlocking,
    )
    return Batch(settlements, command)


def _settle_keys(keys: QueueKeys, now: float) -> Sequence[str]:
    day = day_of(now)
    return (
        *(keys.active, keys.lease, keys.pending, keys.retry, keys.archived, keys.completed),
        *(keys.processed_on(day), keys.failed_on(day), keys.processed, keys.failed),
    )


def _unlocking(settlements: Sequence[Settlement]) -> dict[int, str]:
    # What is no longer being done, by the place of the job that has done it.
    return {
        place: settlement.claim.job.unique
        for place, settlement in enumerate(settlements, start=1)
        if settlement.claim.job.unique and settlement.tally is Tally.SUCCESS
    }


def _written(claim: Claim, after: Job, now: float) -> tuple[Argument, ...]:
    # Score, message, exact due instant, result.
    message = messages.updated(claim.receipt, claim.job, after)
    match after.state:
        case State.RETRY:
            return (math.ceil(after.due), message, exact_due(after.due), b"")
        case State.COMPLETED:
            return (math.ceil(after.kept_until), message, "", after.result)
        case State.ARCHIVED:
            return (math.floor(now), message, "", b"")
        case _:
            # Handed back as it was, unless an attempt was used up on it.
            same = after == claim.job._replace(state=after.state, due=after.due)
            return ("", "" if same else message, "", b"")


def extend_batches(claims: Sequence[Claim], until: float) -> Iterator[Batch[Claim]]:
    """Claims to be held until the instant `until`."""
    for keys, worker, chunk in _by_holder(claims):
        command = EXTEND.call(
            (keys.lease,), keys.jobs, lease_score(until), worker, len(chunk), *_names(chunk)
        )
        yield Batch(chunk, command)


def marked_batches(claims: Sequence[Claim]) -> Iterator[Batch[Claim]]:
    """Claims of which is asked whether their jobs were cancelled."""
    for keys, worker, chunk in _by_holder(claims):
        command = MARKED.call((keys.lease,), keys.jobs, worker, len(chunk), *_names(chunk))
        yield Batch(chunk, command)


def _by_holder(claims: Iterable[Claim]) -> Iterator[tuple[QueueKeys, str, Sequence[Claim]]]:
    by_holder: dict[tuple[str, str], list[Claim]] = {}
    for claim in claims:
        by_holder.setdefault((claim.job.queue, claim.worker), []).append(claim)
    for (queue, worker), mine in by_holder.items():
        for start in range(0, len(mine), CHUNK):
            yield keys_of(queue), worker, mine[start : start + CHUNK]


def _names(claims: Sequence[Claim]) -> Sequence[Argument]:
    # Ids, then claim numbers.
    ids = [raw_id(claim.job.id) for claim in claims]
    return [*ids, *[claim.number for claim in claims]]


def prune_command(queue: str, now: float) -> Command:
    """Delete up to CHUNK jobs of each kind that the queue keeps no longer (8.10, 8.5)."""
    keys = keys_of(queue)
    second = math.floor(now)
    terms = (second, second - ARCHIVE_AGE, ARCHIVE_SIZE, CHUNK)
    return PRUNE.call((keys.completed, keys.archived), keys.jobs, *terms)


def exact_due(due: float) -> str:
    """The private field for a due instant; empty where the integer score says it all."""
    return "" if due == math.ceil(due) else repr(due)


def read_due(exact: bytes | None, score: bytes) -> float:
    """The due instant of a job with this score in its container, and that private field."""
    # The field counts only where it belongs to this score (see promote.lua).
    if exact and math.ceil(float(exact)) == float(score):
        return float(exact)
    return float(score)


def told(soonest: float, now: float) -> str:
    """The due instant to tell of; empty if who waits looks early enough by himself."""
    return repr(soonest) if soonest < now + _SOON else ""


def job_bytes(job: Job) -> int:
    """Roughly, how much a new job takes."""
    return len(job.payload)


def _settlement_bytes(settlement: Settlement) -> int:
    after = settlement.after
    return len(settlement.claim.receipt) + len(after.result) if after else 0


def chunks(
    items: Sequence[Item], bytes_of: Callable[[Item], int], most: int = CHUNK
) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), most):
        chunk = items[start : start + most]
        if sum(map(bytes_of, chunk)) < CHUNK_BYTES:
            yield chunk
        else:
            yield from _parts(chunk, bytes_of)


def _parts(items: Sequence[Item], bytes_of: Callable[[Item], int]) -> Iterator[Sequence[Item]]:
    start = size = 0
    for end, item in enumerate(items, start=1):
        size += bytes_of(item)
        if size >= CHUNK_BYTES or end == len(items):
            yield items[start:end]
            start, size = end, 0
