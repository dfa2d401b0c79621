"""Finding jobs for the command line: pages, filters, names that come close."""

from collections.abc import AsyncIterator, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from atode.broker.protocol import Inspect
from atode.cli._deployment import existing, unless_broken
from atode.cli._suggestion import suggestion
from atode.errors import BadOption, BrokerRefused
from atode.job import Job, State

_CHUNK = 500
_LOOKED_AT = 200  # per state, for ids that come close

Entry = Job | BrokerRefused
"""A job, or why the one in this place cannot be read."""


class Wanted(NamedTuple):
    """Which of a state's jobs are meant; all of them if nothing is said."""

    task: str | None = None
    """Those whose task fits this pattern (`mail:*`)."""
    group: str | None = None
    """Those of this group."""

    def has(self, job: Job) -> bool:
        """Whether the job is one of them."""
        fits = self.task is None or fnmatchcase(job.task, self.task)
        return fits and self.group in (None, job.group)


class Page(NamedTuple):
    """Some of a queue's jobs in one state."""

    entries: Sequence[Entry]
    total: int
    """How many there are in this state, whatever their task."""


async def page(
    broker: Inspect, queue: str, state: State, wanted: Wanted, *, offset: int, limit: int
) -> Page:
    """Up to `limit` of the wanted jobs, behind the first `offset` of them. Where all are wanted, a
    broken job takes its place and spoils no other.

    Raises:
        BadOption: there is no such queue.
        BrokerRefused: not one of the jobs can be read.
    """
    total = (await existing(broker, queue)).counts[state]
    if wanted == Wanted():
        return Page(await _read(broker, queue, state, range(offset, offset + limit), total), total)
    found: list[Entry] = []
    async for entry in _every(broker, queue, state, total):
        if isinstance(entry, Job) and wanted.has(entry):
            found.append(entry)
            if len(found) == offset + limit:
                break
    return Page(found[offset:], total)


async def known_job(broker: Inspect, queue: str, job_id: str) -> Job:
    """The job.

    Raises:
        BadOption: there is no such queue or job; the text has ids that come close, and the
            queues where there is one of this id.
    """
    job = await broker.get(queue, job_id)
    if job is None:
        await existing(broker, queue)
        hint = await _hint(broker, queue, job_id)
        raise BadOption(f"queue {queue!r} has no job {job_id!r}{hint}")
    return job


async def _every(broker: Inspect, queue: str, state: State, total: int) -> AsyncIterator[Entry]:
    for offset in range(0, total, _CHUNK):
        for entry in await _read(broker, queue, state, range(offset, offset + _CHUNK), total):
            yield entry


async def _read(
    broker: Inspect, queue: str, state: State, places: range, total: int
) -> Sequence[Entry]:
    found = await unless_broken(broker.find(queue, state, offset=places.start, limit=len(places)))
    if not isinstance(found, BrokerRefused):
        return found
    entries: list[Entry] = []
    for place in range(places.start, min(places.stop, total)):
        one = await unless_broken(broker.find(queue, state, offset=place, limit=1))
        entries += [one] if isinstance(one, BrokerRefused) else one
    if not any(isinstance(entry, Job) for entry in entries):
        raise found
    return entries


async def _hint(broker: Inspect, queue: str, job_id: str) -> str:
    elsewhere = [
        name
        for name in await broker.queues()
        if name != queue and isinstance(await unless_broken(broker.get(name, job_id)), Job)
    ]
    if elsewhere:
        return f"; queue {elsewhere[0]!r} has"
    ids: list[str] = []
    for state in State:
        found = await unless_broken(broker.find(queue, state, limit=_LOOKED_AT))
        ids += [] if isinstance(found, BrokerRefused) else [job.id for job in found]
    return suggestion(job_id, ids, likeness=0.85)
