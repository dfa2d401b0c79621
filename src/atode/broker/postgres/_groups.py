"""What turns jobs that wait for company into one."""

from collections.abc import Iterator, Sequence

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._bell import News
from atode.broker.postgres._enqueue import Delivery, new_batch, news_of, storing, walked
from atode.broker.postgres._link import Ask
from atode.broker.postgres._operations import MOST_AT_ONCE
from atode.broker.postgres._rows import escaped, job_of, key_of, keys_of, unescaped
from atode.broker.postgres._store import Store
from atode.errors import BrokerRefused
from atode.group import Group, Member
from atode.job import Job

_MOST_BYTES = 1_000_000
"""Bytes of payloads after which no more members are read: no batch takes more."""


class Groups(Store):
    """What workers with batch tasks do to the database.

    A member is known by its number in line, which no other job ever has.
    """

    async def groups(self, queues: Sequence[str]) -> Sequence[Group]:
        """The groups of these queues that have members; instants are by our clock."""
        rows = await self._link.rows(sql.GROUPS, self._now(), list(queues))
        present = self._clock.now()
        found: list[Group] = []
        for now, queue, name, size, oldest, newest, task in rows:
            ahead = present - now
            group = Group(queue, unescaped(name), size, oldest + ahead, newest + ahead, task)
            found.append(group)
        return found

    async def members(self, queue: str, group: str, *, limit: int) -> Sequence[Member]:
        """Up to `limit` of a group's jobs, those first that joined first."""
        rows = await self._link.rows(sql.MEMBERS, queue, escaped(group), limit, _MOST_BYTES)
        return [Member(job_of(row), b"%d" % row[-1]) for row in rows]

    async def merge(
        self, queue: str, group: str, members: Sequence[Member], jobs: Sequence[Job]
    ) -> bool:
        """Put jobs in place of members, and wake workers; False, and no effect, if one of these
        has left the group.

        Raises:
            BrokerRefused: the id of one of the jobs is taken, so that it is not new.
        """
        call = self._calls.call(news_of(jobs))
        channel = self._link.address.channel
        delivery = Delivery(jobs, self._now(), new_batch(), channel, call.words)

        async def work(ask: Ask) -> bool:
            ids = await _still_in(ask, queue, group, members)
            if len(ids) < len(members):
                # Perhaps this is repeated because its answer was lost.
                return await _are_stored(ask, queue, jobs)
            await _replace(ask, queue, ids, delivery)
            return True

        merged = await self._link.transact(work)
        self._calls.told(call)
        return merged

    async def release(self, queue: str, group: str, members: Sequence[Member]) -> int:
        """Make members ordinary pending jobs, last in line; how many of them still were there."""
        call = self._calls.call([News("pending", queue)])
        news = self._link.address.channel, call.words

        async def work(ask: Ask) -> int:
            ids = await _still_in(ask, queue, group, members)
            for some in _parts(ids):
                await ask(sql.RUN_IDS, self._now(), queue, some, *news)
            return len(ids)

        released = await self._link.transact(work)
        self._calls.told(call)
        return released


async def _still_in(ask: Ask, queue: str, group: str, members: Sequence[Member]) -> list[str]:
    """The ids, as they are stored, of those members that are in the group; nobody takes them
    before the transaction ends."""
    numbers = {
        key_of(member.job.id).id: int(member.receipt)
        for member in members
        if member.job.group == group
    }
    rows = await ask(sql.STILL_IN, queue, list(numbers))
    found = {str(stored): line for stored, line in rows}
    return [stored for stored, line in numbers.items() if found.get(stored) == line]


async def _are_stored(ask: Ask, queue: str, jobs: Sequence[Job]) -> bool:
    ids = keys_of(jobs).ids
    return len(await ask(sql.STORED, queue, ids)) == len(ids)


async def _replace(ask: Ask, queue: str, ids: Sequence[str], delivery: Delivery) -> None:
    for some in _parts(ids):
        await ask(sql.DELETE_IDS, delivery.now, queue, some)
    refused = await walked(storing(delivery), ask)
    if refused:
        raise BrokerRefused(
            f"job {refused[0].job.id!r}, a batch of queue {queue!r}, is stored already; "
            "give each batch a new id"
        )


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + MOST_AT_ONCE] for start in range(0, len(ids), MOST_AT_ONCE))
