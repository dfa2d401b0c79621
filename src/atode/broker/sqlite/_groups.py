"""Groups and batches, each call a transaction."""

from collections.abc import Sequence
from functools import partial

from atode.broker.sqlite import _merging
from atode.broker.sqlite._cancelling import Cancelling
from atode.group import Group, Member
from atode.job import Job


class Groups(Cancelling):
    """What workers with batch tasks do to the file."""

    async def groups(self, queues: Sequence[str]) -> Sequence[Group]:
        return await self._writer.call(partial(_merging.groups, queues=queues), writes=False)

    async def members(self, queue: str, group: str, *, limit: int) -> Sequence[Member]:
        command = partial(_merging.members, queue=queue, group=group, limit=limit)
        return await self._writer.call(command, writes=False)

    async def merge(
        self, queue: str, group: str, members: Sequence[Member], jobs: Sequence[Job]
    ) -> bool:
        command = partial(
            _merging.merge,
            clock=self._clock,
            queue=queue,
            group=group,
            members=members,
            jobs=jobs,
        )
        return await self._writer.call(command)

    async def release(self, queue: str, group: str, members: Sequence[Member]) -> int:
        command = partial(
            _merging.release, clock=self._clock, queue=queue, group=group, members=members
        )
        return await self._writer.call(command)
