"""Makes batches of what waits in groups."""

import asyncio
import random
from collections.abc import Sequence

from atode.broker.protocol import Groups
from atode.clock import Clock
from atode.events import BatchMade, Events
from atode.group import Group, is_ripe
from atode.worker._plan import Batches, plan
from atode.worker._service import Service

LOOK_EVERY = 1.0
"""Seconds between two looks at the groups while none of ours has members."""

LOOK_AGAIN = 0.25
"""Seconds between two looks while one has."""

_REST = 9.0
"""How much longer than a look lasts the pause after it is at least: thousands of groups must
not keep a store busy with telling that they wait."""

_AT_ONCE = 8


class Aggregator(Service):
    """Looks at the groups of its queues, together with all other workers; who is first makes
    the batch, in one step, and the others find nothing left.

    A group belongs to the task of the member that came first. If that is no batch task of
    ours, the group is left to whoever knows it, such as a Go server.
    """

    name = "aggregator"

    def __init__(
        self,
        broker: Groups,
        queues: Sequence[str],
        tasks: Batches,
        clock: Clock,
        events: Events,
    ) -> None:
        super().__init__(events)
        self._broker = broker
        self._queues = queues
        self._tasks = tasks
        self._clock = clock
        self._events = events

    async def turn(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        groups = await self._broker.groups(self._queues)
        looked = loop.time() - began
        self.outage.answered()
        ours = [group for group in groups if group.task in self._tasks]
        broken = [group for group in groups if not group.task]
        now = self._clock.now()
        ripe = [each for each in ours if is_ripe(each, self._tasks[each.task].limits, now)]
        if not await self._serve(ripe + broken):
            pause = max(LOOK_AGAIN if ours else LOOK_EVERY, looked * _REST)
            await self.idle(asyncio.sleep(pause * random.uniform(0.5, 1.5)))

    async def _serve(self, groups: list[Group]) -> bool:
        """Take a batch from each of these groups; whether there may be more to take."""
        # Each worker in an order of its own, so that they seldom meet at the same group.
        random.shuffle(groups)
        progress = False
        for start in range(0, len(groups), _AT_ONCE):
            if self.stopping:
                break
            takings = [self._take(group) for group in groups[start : start + _AT_ONCE]]
            for taken in await asyncio.gather(*takings, return_exceptions=True):
                if isinstance(taken, BaseException):
                    raise taken
                progress = taken or progress
        return progress

    async def _take(self, group: Group) -> bool:
        task = self._tasks.get(group.task)
        limit = task.limits.max_size if task else 1
        members = await self._broker.members(group.queue, group.name, limit=limit)
        # Somebody may have taken the first one meanwhile, or nobody could read it.
        if not members or members[0].job.task != group.task:
            return False
        batches, alone = plan(members, self._tasks, self._clock.now())
        progress = False
        for made in batches:
            if await self._broker.merge(group.queue, group.name, made.members, [made.job]):
                progress = True
                self._events.publish(BatchMade(made.job, group.name, len(made.members)))
        if alone:
            progress = bool(await self._broker.release(group.queue, group.name, alone)) or progress
        return progress
