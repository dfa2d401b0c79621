"""What becomes of members of a group: which of them are a batch together, and which run alone."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from atode.batch import BatchTask
from atode.group import Member
from atode.job import Job

Batches = Mapping[str, BatchTask[Any, Any]]
"""Batch tasks by name."""


class Batch(NamedTuple):
    """Members, and the job that they become."""

    members: Sequence[Member]
    job: Job


class Plan(NamedTuple):
    """What to do with the members that were looked at."""

    batches: Sequence[Batch]
    alone: Sequence[Member]
    """Those that are ordinary jobs from now on: of tasks that take no batches, and items
    that their task does not take. The attempt at such a one archives it, with the reason."""


def plan(members: Sequence[Member], tasks: Batches, now: float) -> Plan:
    """Members of one group, in their order; a foreign program may have mixed several tasks."""
    by_task: dict[str, list[Member]] = {}
    alone: list[Member] = []
    for member in members:
        if member.job.task in tasks:
            by_task.setdefault(member.job.task, []).append(member)
        else:
            alone.append(member)
    batches: list[Batch] = []
    for name, mine in by_task.items():
        task = tasks[name]
        fit, unfit = _sorted_out(task, mine)
        made, too_large = _batches(task, fit, now)
        batches += made
        alone += unfit + too_large
    return Plan(batches, alone)


def _sorted_out(
    task: BatchTask[Any, Any], members: list[Member]
) -> tuple[list[Member], list[Member]]:
    if task.fits([member.job.payload for member in members]):
        return members, []
    fit: list[Member] = []
    unfit: list[Member] = []
    for member in members:
        (fit if task.fits([member.job.payload]) else unfit).append(member)
    return fit, unfit


def _batches(
    task: BatchTask[Any, Any], members: list[Member], now: float
) -> tuple[list[Batch], list[Member]]:
    batches: list[Batch] = []
    too_large: list[Member] = []
    start = 0
    while start < len(members):
        payloads = [member.job.payload for member in members[start:]]
        room = task.room(payloads)
        if room:
            part = members[start : start + room]
            job = task.batch_of(payloads[:room], part[0].job.queue, now)
            batches.append(Batch(part, job))
        else:
            too_large.append(members[start])
        start += max(room, 1)
    return batches, too_large
