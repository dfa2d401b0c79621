"""What stores tell each other while a queue moves from one to another: values and words."""

from collections.abc import Sequence
from typing import NamedTuple

from atode.errors import BrokerRefused
from atode.job import Job


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
