"""Members of groups as script calls."""

import math
from collections.abc import Sequence
from hashlib import sha1

from atode.broker.redis import messages
from atode.broker.redis._batches import (
    exact_due,
    lock_seconds,
    nanoseconds,
    told,
)
from atode.broker.redis._scripts import JOIN, MERGE, RELEASE, Argument, Command
from atode.broker.redis.keys import keys_of, raw_id
from atode.group import Member
from atode.job import Job, State


def join_command(chunk: Sequence[Job], now: float) -> Command:
    """The script call that stores new jobs of one queue that have a group."""
    keys = keys_of(chunk[0].queue)
    delayed = [job.due for job in chunk if job.state is State.SCHEDULED]
    common = (
        *(keys.jobs, keys.group, math.floor(now)),
        *(keys.soon, told(min(delayed, default=math.inf), now)),
        *[part for job in chunk for part in _new_member(job, now)],
    )
    names = (keys.groups, keys.scheduled, keys.visits)
    return JOIN.call(names, "0", *common)


def _new_member(job: Job, now: float) -> tuple[Argument, ...]:
    is_delayed = job.state is State.SCHEDULED
    return (
        job.id,
        messages.encoded(job),
        job.group,
        math.ceil(job.due) if is_delayed else "",
        exact_due(job.due) if is_delayed else "",
        keys_of(job.queue).unique + job.unique if job.unique_for else "",
        lock_seconds(job, now),
    )


def member_of(job: Job, message: bytes) -> Member:
    """A member as it was read. Its receipt tells whether another one has taken its id since."""
    # Not for security: Redis computes the same digest.
    return Member(job, sha1(message, usedforsecurity=False).hexdigest().encode())


def merge_command(
    queue: str, group: str, members: Sequence[Member], jobs: Sequence[Job], now: float
) -> Command:
    """New jobs in place of members."""
    keys = keys_of(queue)
    return MERGE.call(
        (keys.members(group), keys.groups, keys.pending),
        *(keys.jobs, keys.unique, raw_id(group), nanoseconds(now), len(members)),
        *[part for member in members for part in (raw_id(member.job.id), member.receipt)],
        *[part for job in jobs for part in (job.id, messages.encoded(job))],
    )


def release_command(
    queue: str, group: str, leaving: Sequence[tuple[Member, bytes]], now: float
) -> Command:
    """Members that leave alone, each with its message for the archive, if it goes there."""
    keys = keys_of(queue)
    return RELEASE.call(
        (keys.members(group), keys.groups, keys.pending, keys.archived),
        *(keys.jobs, raw_id(group), math.floor(now), nanoseconds(now)),
        *[
            part
            for member, message in leaving
            for part in (raw_id(member.job.id), member.receipt, message)
        ],
    )
