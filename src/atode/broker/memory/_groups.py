"""Jobs that wait for company, until they become one."""

from collections.abc import Sequence

from atode.broker.memory._cancelling import Cancelling
from atode.broker.memory.store import Record
from atode.group import Group, Member
from atode.job import Job, State


class Groups(Cancelling):
    """What workers with batch tasks do."""

    async def groups(self, queues: Sequence[str]) -> Sequence[Group]:
        with self._store.lock:
            return [
                _group(queue, name, self._store.queue(queue).group(name))
                for queue in queues
                for name in self._names(queue)
            ]

    async def members(self, queue: str, group: str, *, limit: int) -> Sequence[Member]:
        with self._store.lock:
            return [Member(record.job) for record in self._store.queue(queue).group(group)[:limit]]

    async def merge(
        self, queue: str, group: str, members: Sequence[Member], jobs: Sequence[Job]
    ) -> bool:
        with self._store.lock:
            mine = self._store.queue(queue)
            found = self._found(queue, group, members)
            if len(found) < len(members):
                return all(job.id in mine.records for job in jobs)
            for record in found:
                mine.remove(record)
            for job in jobs:
                mine.records[job.id] = record = Record(job)
                mine.append(record, self._clock.now())
            self._store.ring()
        return True

    async def release(self, queue: str, group: str, members: Sequence[Member]) -> int:
        with self._store.lock:
            found = self._found(queue, group, members)
            for record in found:
                self._store.queue(queue).append(record, self._clock.now())
            self._store.ring()
        return len(found)

    def _names(self, queue: str) -> list[str]:
        members = self._store.queue(queue).in_state(State.AGGREGATING)
        return sorted({record.job.group for record in members})

    def _found(self, queue: str, group: str, members: Sequence[Member]) -> list[Record]:
        # A job that is equal to the one that was read is as good as that one.
        wanted = {member.job.id: member.job for member in members}
        mine = self._store.queue(queue).group(group)
        return [record for record in mine if wanted.get(record.job.id) == record.job]


def _group(queue: str, name: str, members: Sequence[Record]) -> Group:
    first, last = members[0], members[-1]
    task = first.job.task
    return Group(queue, name, len(members), first.waits_since, last.waits_since, task)
