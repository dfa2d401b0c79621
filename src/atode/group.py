"""Groups: jobs that wait for company, until they become one."""

from typing import NamedTuple

from atode.job import Job


class Group(NamedTuple):
    """How a group of a queue stands. It is there as long as it has members."""

    queue: str
    name: str
    size: int
    oldest: float
    """When the member that came first joined, in Unix seconds."""
    newest: float
    """When the member that came last joined."""
    task: str
    """The task of the member that came first; empty if that cannot be read."""


class Member(NamedTuple):
    """A job in a group, as it was when someone looked."""

    job: Job
    receipt: bytes = b""
    """What the broker wants to see again when it is merged; opaque to everyone else."""


class Limits(NamedTuple):
    """When the members of a group have waited long enough (protocol, 9.1). Times in seconds."""

    max_size: int
    """As soon as there are so many; no batch has more."""
    max_delay: float | None
    """As soon as the oldest has waited for so long; None: never for that reason."""
    grace: float
    """As soon as nobody has joined for so long."""


def is_ripe(group: Group, limits: Limits, now: float) -> bool:
    """Whether the oldest members of the group are to become a batch at the instant `now`."""
    if group.size >= limits.max_size:
        return True
    if limits.max_delay is not None and group.oldest <= now - limits.max_delay:
        return True
    return group.newest <= now - limits.grace
