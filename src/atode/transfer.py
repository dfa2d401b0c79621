"""Moving a queue from one store to another: what a store does for it, and what travels.

`mover.py` puts the two halves together.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from atode.errors import BrokerRefused
from atode.job import Job, State


class Moved(NamedTuple):
    """A job on its way from one store to another."""

    job: Job
    since: float = 0.0
    """Since when it stands in line or waits in its group, or when it came into the archive;
    0: nobody knows."""
    lock_left: float = 0.0
    """Seconds for which it still locks what it does; 0: it locks nothing."""
    group: str = ""
    """The group in which it waits, or will wait once it is due."""
    native: bytes = b""
    """Its stored form, where that may say more than the job; for stores of the same format."""
    problem: str = ""
    """Why it cannot leave (its stored form is broken); empty normally."""

    @classmethod
    def of(cls, job: Job, since: float, lock_left: float) -> "Moved":
        """A sound job. One that has run alone, or is about to, is in no group any more."""
        waits = job.state in (State.AGGREGATING, State.SCHEDULED)
        return cls(job, since, lock_left, job.group if waits else "")


class Stamp(NamedTuple):
    """Names the jobs that travelled together: who moved them, and as which part of his work."""

    mover: str
    number: int

    def __str__(self) -> str:
        return f"{self.mover} {self.number}"

    @classmethod
    def of(cls, text: str) -> "Stamp | None":
        """The stamp that was written as `text`; None for an empty one."""
        mover, _, number = text.rpartition(" ")
        return cls(mover, int(number)) if mover else None


class Departure(NamedTuple):
    """How a queue stands in the store that it leaves."""

    given: Stamp | None
    """Of the last jobs that were deleted because they had moved, if that move did not come to
    its end."""
    was_paused: bool
    """Whether somebody had paused it, and not only a move."""


class Left(NamedTuple):
    """A job that stayed in its old store, and why."""

    job_id: str
    reason: str


class Arrival(NamedTuple):
    """What the new store says about jobs that were brought to it."""

    refused: Sequence[Left] = ()
    unlocked: Sequence[str] = ()
    """Ids of jobs that came without their lock: another job of the new store has it."""
    rounded: int = 0
    """Jobs whose timeout, deadline or retention is kept in whole seconds from now on."""


class Moving(Protocol):
    """How the jobs of a queue move from this store to another, or from another one to this.

    A mover takes turns: the old store gives some jobs, the new one receives them and remembers
    that it did, the old one deletes them and remembers that it did. Whatever dies in between,
    these two memories tell the next mover of each job where it is, even if it has been run and
    deleted since, and even if another job of its id has come. `mover` is a name that nobody
    has used before; a store listens to the last one of a queue that has started.
    """

    async def start_giving(self, queue: str, *, mover: str) -> Departure:
        """Pause the queue and let `mover` move it from here. That it was paused by a move, and
        not by somebody, is remembered until it is resumed."""
        ...

    async def give(
        self, queue: str, state: State, *, mover: str, offset: int = 0, limit: int = 500
    ) -> Sequence[Moved]:
        """Up to `limit` jobs in a state behind the first `offset`, in the order of `find`; they
        stay. Fewer where they are large. Nothing in the answer: there are no more.

        Raises:
            BrokerRefused: the queue goes on, or another mover has started.
        """
        ...

    async def given(self, queue: str, ids: Sequence[str], *, stamp: Stamp) -> Sequence[str]:
        """Delete jobs that have arrived, with their locks, all in one transaction; returns those
        that are still here, because a worker has claimed them. At most 500.

        Raises:
            BrokerRefused: another mover has started.
        """
        ...

    async def start_receiving(
        self, queue: str, *, mover: str, given: Stamp | None, paused: bool
    ) -> None:
        """Let `mover` move the queue to here. What was received under the stamp `given` is gone
        from the old store, so nothing of that needs to be remembered. With `paused` the queue
        is paused here, too, unless an earlier mover has begun to move it."""
        ...

    async def receive(self, queue: str, jobs: Sequence[Moved], *, stamp: Stamp) -> Arrival:
        """Store jobs as they were, behind those that are here, and wake workers; all in one
        transaction. At most 500. What was received before has no effect again. A lock that
        another job has here is left to it.

        The mover promises that what it brought under lower numbers is gone from the old store.

        Raises:
            BrokerRefused: another mover has started.
        """
        ...

    async def finish_moving(self, queue: str, *, mover: str) -> None:
        """Forget what was remembered, unless another mover has started. The queue stays paused
        in the old store."""
        ...


def id_taken(job_id: str) -> Left:
    """Why a store does not receive a job whose id it has."""
    return Left(job_id, "the new store has another job of this id")


def goes_on(queue: str) -> BrokerRefused:
    """What a store says that is to give jobs of a queue from which workers claim."""
    return BrokerRefused(
        f"queue {queue!r} was resumed while it is being moved, so its jobs might run in both "
        "stores; move it again, which pauses it"
    )


def superseded(queue: str) -> BrokerRefused:
    """What a store says to a mover in whose place another one has come."""
    return BrokerRefused(f"another process has begun to move queue {queue!r}; this one ends here")
