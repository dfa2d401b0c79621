"""What the machine plays with: values it draws, how it looks at answers, and where it plays."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from enum import Enum
from itertools import groupby
from typing import Any, NamedTuple, Protocol

from hypothesis import strategies as st

from atode.broker.protocol import Broker
from atode.clock import Clock
from atode.job import Claim, Job, State
from atode.outcome import (
    Cancelled,
    Crashed,
    Failed,
    Outcome,
    Released,
    Snoozed,
    Succeeded,
)
from atode.statistics import QueueStats
from atode.testing.differences import Promise
from atode.testing.jobs import a_job
from atode.transfer import Moved


class Stage(Protocol):
    """A store of the kind that is tried out."""

    def broker(self, clock: Clock) -> Broker:
        """Another broker on the store."""
        ...

    async def empty(self) -> None:
        """Let nothing be left in the store. Brokers of earlier plays are closed."""
        ...

    async def cut(self) -> None:
        """Cut all connections of all brokers; nothing to do where there are none."""
        ...


class Scope(NamedTuple):
    """How closely is looked."""

    moment: float = 0.125
    """Time passes in multiples of this."""
    listed: float = 0.125
    """Delayed jobs are listed by the end of such a span, and within it in any order."""
    lock_times: Sequence[float] = (3.0, 100.0, 1e8)
    """For how long unique jobs lock."""
    lock_span: float = 0.125
    """What is left of a lock is compared in units of this."""

    keeps_due: bool = True
    """Whether claims are compared by when their jobs were due."""
    knows_since: bool = True
    """Whether it is compared since when the next job has waited."""


# Where a broker differs from the model, and the machine has to leave that alone.
_LEFT_ALONE: Mapping[Promise, Mapping[str, Any]] = {
    # What happens at whole seconds looks the same. That due instants and leases are finer
    # shows all the same: jobs are due between two looks, in the order of their instants.
    Promise.INSTANTS: {"moment": 1.0},
    Promise.LISTED: {"listed": 1.0},
    Promise.WAITING: {"knows_since": False},
    Promise.LATENESS: {"keeps_due": False},
    # Real time does not pass.
    Promise.LOCK_TIMES: {"lock_times": (1e8,), "lock_span": 1e9},
}


def scope_of(differences: Collection[Promise]) -> Scope:
    """How closely to look at a broker that differs so."""
    scope = Scope()
    for promise, values in _LEFT_ALONE.items():
        if promise in differences:
            scope = scope._replace(**values)
    return scope


class Fate(Enum):
    """What becomes of a call."""

    ANSWERED = "answered"
    REPEATED = "its answer is lost, and it is made again"
    CUT = "the connections are cut meanwhile, and it is made again"
    CANCELLED = "the caller is cancelled meanwhile, and makes it again"


class Draft(NamedTuple):
    """A job before anybody knows what time it is."""

    id: str
    delay: int
    member_of: str
    payload: bytes
    max_retry: int
    retention: float
    lock: int
    """0: it is not unique; else which of the scope's times."""

    def job(self, queue: str, due: float, scope: Scope) -> Job:
        """The job of this draft."""
        job = a_job(
            queue,
            id=self.id,
            payload=self.payload,
            due=due if self.delay else 0.0,
            max_retry=self.max_retry,
            retention=self.retention,
            unique_for=scope.lock_times[self.lock % len(scope.lock_times)] if self.lock else 0.0,
            group=self.member_of,
        )
        return job._replace(headers={"trace": self.id})


# Few enough of everything that things meet.
QUEUES = st.sampled_from(["a", "b"])
IDS = st.sampled_from([f"j{n}" for n in range(8)])
STATES = st.sampled_from(list(State))
WHICH = st.one_of(st.lists(IDS, min_size=1, max_size=4), STATES)
WORKERS = st.sampled_from(["w1", "w2"])
# They end between two moments: to the millisecond, stores count as they like.
LEASES = st.sampled_from([5.3, 30.3])
FATES = st.sampled_from([Fate.ANSWERED, Fate.ANSWERED, *Fate])
PAYLOADS = st.sampled_from([b"1", b"2", b'"\xe3\x81\x82"'])
DRAFTS = st.builds(
    Draft,
    IDS,
    st.sampled_from([0, 0, 2, 40]),
    st.sampled_from(["", "", "g", "h"]),
    PAYLOADS,
    st.integers(0, 2),
    st.sampled_from([0.0, 0.0, 7.0, 600.0]),
    st.integers(0, 3),
)
SPANS = st.sampled_from([1, 6, 31, 61, 601, 86_400, 91 * 86_400])
OUTCOMES: st.SearchStrategy[Outcome] = st.sampled_from(
    [
        Succeeded(b'"done"'),
        Succeeded(),
        Failed("boom"),
        Failed("never", permanent=True),
        Snoozed(1.0),
        Cancelled(),
        Cancelled(retry=True),
        Released(),
        Crashed(),
    ]
)


def seen_job(job: Job | None) -> Job | None:
    """A job without what has no meaning."""
    if job is None:
        return None
    due = job.due if job.state in (State.SCHEDULED, State.RETRY) else 0.0
    return job._replace(due=_milliseconds(due), headers=dict(job.headers))


def seen_claim(claim: Claim, scope: Scope) -> tuple[object, ...]:
    """All of a claim that everybody may look at."""
    due = _milliseconds(claim.job.due) if scope.keeps_due else 0.0
    job = claim.job._replace(due=due, headers=dict(claim.job.headers))
    return job, claim.worker, claim.number, claim.lease_until, claim.problem, claim.cancelled


def seen_moved(moved: Moved, scope: Scope) -> tuple[object, ...]:
    """All of a job that moves that every store tells."""
    lock = math.ceil(moved.lock_left / scope.lock_span)
    is_known = scope.knows_since or moved.job.state is not State.PENDING
    since = moved.since if is_known else 0.0
    return seen_job(moved.job), since, lock, moved.group, moved.problem


def seen_stats(stats: QueueStats | None, scope: Scope) -> QueueStats | None:
    """What every store knows about how a queue stands."""
    return stats and stats._replace(
        memory=0,
        counts={state: stats.counts[state] for state in State},
        waiting_since=_milliseconds(stats.waiting_since) if scope.knows_since else 0.0,
    )


def in_order(jobs: Iterable[Job], key: Callable[[Job], float]) -> list[Job | None]:
    """Jobs in the order in which they came; those that are equal by `key` may come in any."""
    runs = groupby(jobs, key)
    return [seen_job(job) for _, run in runs for job in sorted(run, key=lambda job: job.id)]


def _milliseconds(instant: float) -> float:
    return round(instant, 3)
