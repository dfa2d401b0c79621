"""How an attempt ended, and what becomes of the job: all of the retry logic, pure.

An attempt ends as an `Outcome`. With the retry policy and the time, `decide` turns it into
a `Settlement`, the one thing that a broker writes.
"""

from enum import StrEnum
from typing import NamedTuple, assert_never

from atode.job import Claim, Job, State
from atode.retry import Retry

LONGEST_ERROR = 8192
"""Characters of an error text that are kept."""

CANCELLED = "cancelled"
"""Error text of a job that was cancelled for good."""

CANCELED_BY_GO = "context canceled"
"""asynq's words for an attempt that was cancelled and is retried (protocol, 10)."""
CRASHED = "lease expired: the worker died or lost the broker while the job ran"
"""Error text of an attempt whose worker gave no sign of life."""


class Succeeded(NamedTuple):
    """The handler returned; `result` is what it returned, encoded."""

    result: bytes = b""


class Failed(NamedTuple):
    """The handler raised, ran out of time, or could not be run."""

    error: str
    permanent: bool = False


class Snoozed(NamedTuple):
    """The handler asked to run again after `delay` seconds."""

    delay: float


class Cancelled(NamedTuple):
    """Somebody cancelled the job, or (`retry`) only this attempt, as asynq's tools do."""

    retry: bool = False


class Released(NamedTuple):
    """The worker stops and hands the job back as if it had never been claimed."""


class Crashed(NamedTuple):
    """The lease ran out: the worker that held the job is gone, or lost the broker."""


Outcome = Succeeded | Failed | Snoozed | Cancelled | Released | Crashed


class Tally(StrEnum):
    """What a settlement adds to the queue's counters."""

    NOTHING = "nothing"
    SUCCESS = "success"
    FAILURE = "failure"


class Settlement(NamedTuple):
    """The end of a claim, ready to be written."""

    claim: Claim
    after: Job | None
    """The job as it is stored from now on, in its new state; None: it is deleted."""
    tally: Tally


class Written(NamedTuple):
    """A settlement that is part of somebody's transaction, whose end is not known yet."""

    settlement: Settlement
    receipt: str = ""
    """What the broker wants to see again to find out; opaque to everyone else."""


def decide(claim: Claim, outcome: Outcome, policy: Retry, now: float) -> Settlement:
    """What becomes of the claimed job after `outcome` at the instant `now`."""
    job = claim.job
    match outcome:
        case Succeeded(result):
            if job.retention <= 0:
                return Settlement(claim, None, Tally.SUCCESS)
            kept = job._replace(state=State.COMPLETED, completed_at=now, result=result)
            return Settlement(claim, kept, Tally.SUCCESS)
        case Failed(error, permanent):
            if permanent or job.retried >= job.max_retry:
                return _archive(claim, error, now)
            return _again(claim, error, now, policy.pause(job.retried))
        case Snoozed(delay):
            later = job._replace(state=State.RETRY, due=now + delay)
            return Settlement(claim, later, Tally.NOTHING)
        case Cancelled(retry):
            if retry:
                return decide(claim, Failed(CANCELED_BY_GO), policy, now)
            # Neither success nor failure of the task: what an operator does is not counted.
            return Settlement(claim, cancelled(job, now), Tally.NOTHING)
        case Released():
            return released(claim)
        case Crashed():
            if job.retried >= job.max_retry:
                return _archive(claim, CRASHED, now)
            # No pause: the job did nothing wrong, and "back soon" is a promise. A retry
            # is used up all the same, or a job that kills its worker would do so forever.
            return _again(claim, CRASHED, now, 0.0)
        case _:
            assert_never(outcome)


def released(claim: Claim) -> Settlement:
    """The job goes back as if it had never been claimed."""
    waiting = claim.job._replace(state=State.PENDING, due=0.0)
    return Settlement(claim, waiting, Tally.NOTHING)


# Only failures ask the policy.
_UNUSED = Retry(0)


def abandoned(claim: Claim, now: float) -> Settlement:
    """What becomes of a job whose worker is gone, or lost the broker."""
    return decide(claim, Cancelled() if claim.cancelled else Crashed(), _UNUSED, now)


def cancelled(job: Job, now: float) -> Job:
    """The job as it is kept when it is cancelled for good at the instant `now`."""
    return job._replace(state=State.ARCHIVED, error=CANCELLED, last_failed_at=now)


def _archive(claim: Claim, error: str, now: float) -> Settlement:
    dead = claim.job._replace(state=State.ARCHIVED, error=_clean(error), last_failed_at=now)
    return Settlement(claim, dead, Tally.FAILURE)


def _again(claim: Claim, error: str, now: float, delay: float) -> Settlement:
    job = claim.job
    next_try = job._replace(
        state=State.RETRY if delay > 0 else State.PENDING,
        due=now + delay,
        retried=job.retried + 1,
        error=_clean(error),
        last_failed_at=now,
    )
    return Settlement(claim, next_try, Tally.FAILURE)


def _clean(error: str) -> str:
    # Lone surrogates cannot be encoded as UTF-8, and one such text in a queue stops every
    # Go worker on it (protocol, trap 4). NUL cannot be stored by PostgreSQL.
    text = error.encode("utf-8", "replace").decode("utf-8").replace("\0", "�")
    if len(text) <= LONGEST_ERROR:
        return text
    return text[: LONGEST_ERROR - 1] + "…"
