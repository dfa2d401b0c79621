"""Putting right what an examination has found; each as safe to do twice as once."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from atode.broker.redis import messages
from atode.broker.redis._batches import CHUNK, prune_command
from atode.broker.redis._link import Link
from atode.broker.redis._scripts import REWRITE
from atode.broker.redis.health.audit import Stored, audit, stored
from atode.broker.redis.health.groups import lost_groups
from atode.broker.redis.health.keyspace import Census
from atode.broker.redis.health.presence import HISTORY_LIFE, forget_dead, orphaned_histories
from atode.broker.redis.health.queue import Subject, stray_ids
from atode.broker.redis.keys import LISTED, QUEUES, SCHEDULERS, SERVERS, keys_of, text_id
from atode.job import State

_GO_PATIENCE = 30.0


class Ward(NamedTuple):
    """Where something is to be mended."""

    link: Link
    census: Census
    subject: Subject
    """The queue; of no meaning where the finding is about none."""
    archive: Callable[[str, Sequence[str]], Awaitable[int]]
    """An operator's."""


Cure = Callable[[Ward], Awaitable[str]]
"""Returns what was done; nothing if there was nothing to do any more."""


async def audit_all(ward: Ward) -> str:
    """Ghosts, missing leases, half archived jobs and fractions, in one go."""
    done: dict[str, int] = {}
    for state in LISTED:
        seen = await audit(ward.link, ward.subject.queue, state, now=ward.subject.now, repairs=True)
        for kind, odd in seen.odd.items():
            done[kind] = done.get(kind, 0) + odd.number
    words = {
        "ghosts": "ids without a job dropped: {:,}",
        "unleased": "active jobs given a lease that has run out: {:,}",
        "halfway": "half archived jobs archived: {:,}",
        "fractions": "instants rounded up: {:,}",
    }
    return ", ".join(words[kind].format(done[kind]) for kind in words if kind in done)


async def archive_strays(ward: Ward) -> str:
    """Jobs that are in no list."""
    found = await stray_ids(ward.link, ward.subject, archives=True)
    return f"jobs in no list put into the archive: {len(found):,}" if found else ""


async def rewrite_undecodable(ward: Ward) -> str:
    """Messages that nobody can read get a form that all can, and their jobs are archived."""
    number = 0
    for state in LISTED:
        broken = [each async for each in stored(ward.link, ward.subject.queue, state)]
        for each in broken:
            number += await _rewritten(ward, state, each)
    return f"undecodable messages rewritten, and their jobs archived: {number:,}" if number else ""


async def _rewritten(ward: Ward, state: State, each: Stored) -> int:
    subject, keys = ward.subject, keys_of(ward.subject.queue)
    job, problem = messages.read(each.message, subject.queue, text_id(each.id), state)
    if not problem:
        return 0
    if state is State.ACTIVE and not await _is_abandoned(ward, each.id):
        return 0
    after = job._replace(
        max_retry=0, retried=0, error=problem, last_failed_at=math.floor(subject.now)
    )
    message = messages.updated(each.message, job, after)
    key = keys.jobs.encode() + each.id
    rewrite = REWRITE.call((key,), each.message, state.value, message)
    [written] = (await ward.link.call([rewrite])).replies
    if written and state in (State.PENDING, State.SCHEDULED, State.RETRY):
        await ward.archive(subject.queue, [text_id(each.id)])
    return int(written)


async def _is_abandoned(ward: Ward, job_id: bytes) -> bool:
    # A worker may be about to settle it. One that is gone leaves it to the next recoverer,
    # which can read it then, and has no retry to give.
    lease = ("ZSCORE", keys_of(ward.subject.queue).lease, job_id)
    [score] = (await ward.link.call([lease])).replies
    return score is not None and float(score) < ward.subject.now - _GO_PATIENCE


async def trim_archive(ward: Ward) -> str:
    """What the archive keeps no longer goes, in small steps."""
    gone = deleted = 0
    command = prune_command(ward.subject.queue, ward.subject.now)
    while deleted >= CHUNK or not gone:
        [deleted] = (await ward.link.call([command])).replies
        gone += deleted
        if not deleted:
            break
    return f"jobs that were kept long enough deleted: {gone:,}" if gone else ""


async def register(ward: Ward) -> str:
    """Name the queue where all tools look."""
    [added] = (await ward.link.call([("SADD", QUEUES, ward.subject.queue)])).replies
    return "listed among the queues again" if added else ""


async def regroup(ward: Ward) -> str:
    """Name the groups where aggregators look."""
    found = await lost_groups(ward.link, ward.subject, lists=True)
    return f"groups listed again: {len(found):,}" if found else ""


async def forget_workers(ward: Ward) -> str:
    """Entries of workers that are gone."""
    number = await forget_dead(ward.link, ward.subject.now, index=SERVERS)
    return f"dead workers forgotten: {number:,}" if number else ""


async def forget_schedulers(ward: Ward) -> str:
    """Entries of schedulers that are gone."""
    number = await forget_dead(ward.link, ward.subject.now, index=SCHEDULERS)
    return f"dead schedulers forgotten: {number:,}" if number else ""


async def expire_histories(ward: Ward) -> str:
    """Histories of schedules that nobody runs get an end."""
    orphans = await orphaned_histories(ward.link, ward.census, ward.subject.now)
    number = sum((await ward.link.call([("EXPIRE", key, HISTORY_LIFE) for key in orphans])).replies)
    return f"histories that end in 90 days now: {number:,}" if number else ""


CURES: Mapping[str, Cure] = {
    "ids-without-job": audit_all,
    "active-without-lease": audit_all,
    "archived-by-half": audit_all,
    "fractional-score": audit_all,
    "stray": archive_strays,
    "undecodable": rewrite_undecodable,
    "archive-overdue": trim_archive,
    "unlisted-queue": register,
    "lost-group": regroup,
    "dead-worker": forget_workers,
    "dead-scheduler": forget_schedulers,
    "orphaned-history": expire_histories,
}
"""By code of the finding."""
