"""A job, the states it can be in, and a worker's claim on it."""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, cast

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class State(StrEnum):
    """Where a job is in its life; the words are asynq's."""

    PENDING = "pending"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    RETRY = "retry"
    ARCHIVED = "archived"
    COMPLETED = "completed"
    AGGREGATING = "aggregating"


# Which state may follow which when a worker, the client's clock or upkeep moves a job
# (the protocol's section 5). An operator's hand may do more. A job that succeeds and
# keeps no result leaves the table altogether.
NEXT_STATES: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.SCHEDULED: frozenset({State.PENDING, State.AGGREGATING}),
        State.PENDING: frozenset({State.ACTIVE}),
        State.ACTIVE: frozenset({State.PENDING, State.RETRY, State.ARCHIVED, State.COMPLETED}),
        State.RETRY: frozenset({State.PENDING}),
        State.AGGREGATING: frozenset({State.PENDING}),
        State.ARCHIVED: frozenset(),
        State.COMPLETED: frozenset(),
    }
)


# From which states an operator's hand takes jobs; those in others are left alone.
RUNNABLE = frozenset(
    {State.SCHEDULED, State.RETRY, State.ARCHIVED, State.COMPLETED, State.AGGREGATING}
)
ARCHIVABLE = frozenset(
    {State.PENDING, State.SCHEDULED, State.RETRY, State.COMPLETED, State.AGGREGATING}
)
DELETABLE = frozenset(State) - {State.ACTIVE}
CANCELLABLE = frozenset(State) - {State.ARCHIVED, State.COMPLETED}

# What runs, or will run by itself.
UNFINISHED = CANCELLABLE


# Job and Claim are tuples because one of each is made for every job that runs: a tuple
# is immutable and costs a third of a frozen dataclass.
class Job(NamedTuple):
    """One stored call of a task. Instants are Unix seconds, durations seconds; 0 means none."""

    id: str
    task: str
    queue: str
    payload: bytes
    state: State = State.PENDING
    due: float = 0.0
    """When it may run (scheduled, retry). In a claim: when it was due, if it has waited for that
    instant; else 0, or the instant at which a dead worker's job was given back. Otherwise of no
    meaning."""
    max_retry: int = 25
    retried: int = 0
    timeout: float = 1800.0
    deadline: float = 0.0
    retention: float = 0.0
    headers: Mapping[str, str] = NO_HEADERS
    error: str = ""
    """Text of the last failure."""
    last_failed_at: float = 0.0
    completed_at: float = 0.0
    result: bytes = b""
    unique: str = ""
    """What it does, as `fingerprint` tells it, if no other job may do the same meanwhile."""
    unique_for: float = 0.0
    """When it is stored: for how long after it may run no other may do the same. Not kept."""
    group: str = ""
    """Whom it waits for company with, if it is one item of a batch. It keeps this where it
    runs alone after all, so its payload is one item then, too."""

    @property
    def kept_until(self) -> float:
        """When a completed job is pruned."""
        return self.completed_at + self.retention


def fingerprint(task: str, payload: bytes) -> str:
    """The same text for the same call: task name and MD5 of the arguments (protocol, 2.3)."""
    return f"{task}:{hashlib.md5(payload, usedforsecurity=False).hexdigest()}"


def headers_from_json(text: str | None) -> tuple[Mapping[str, str], str]:
    """Headers as brokers without a format of their own keep them, none if there is no text; and
    what is wrong with the text, empty normally."""
    if not text:
        return NO_HEADERS, ""
    try:
        headers = json.loads(text)
    except ValueError as error:
        return NO_HEADERS, f"stored headers are not JSON: {error}"
    if not isinstance(headers, dict):
        return NO_HEADERS, "stored headers are not a JSON object"
    return cast("dict[str, str]", headers), ""


def new_id() -> str:
    """An id that nothing else has: a UUID of version 7 (RFC 9562), so later ones sort later.

    Random ids scatter over the pages of an index; with ordered ones, a store that keeps its
    jobs in a tree writes half as much. And where asynq's format has only the second for when
    jobs joined a group, their ids tell which came first.
    """
    millisecond, nanoseconds = divmod(time.time_ns(), 1_000_000)
    digits = os.urandom(8).hex()
    # The part of the millisecond in 4096ths: an id takes longer to make than one of these.
    # A digit of the noise makes room for the variant, as the version does in the instant.
    return (
        f"{_instant(millisecond)}{(nanoseconds << 12) // 1_000_000:03x}"
        f"-{_VARIANTS[digits[0]]}{digits[1:4]}-{digits[4:]}"
    )


_VARIANTS = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))


# Many jobs share a millisecond.
@lru_cache(maxsize=1)
def _instant(milliseconds: int) -> str:
    digits = f"{milliseconds:012x}"
    return f"{digits[:8]}-{digits[8:]}-7"


class Claim(NamedTuple):
    """A job in a worker's hands, under a lease that the worker keeps extending."""

    job: Job
    worker: str
    number: int
    """How often the job has been claimed, this time included. It never goes down, so it
    tells two claims on one job apart even where the attempt was handed back."""
    lease_until: float
    receipt: bytes = b""
    """What the broker wants to see again with the settlement; opaque to everyone else."""
    problem: str = ""
    """Why this job cannot be run at all (its stored form is broken); empty normally."""
    cancelled: bool = False
    """Whether the job was cancelled before it was claimed: it is to be settled, not run."""
