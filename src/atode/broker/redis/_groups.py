"""Jobs that wait for company, as asynq keeps them (the protocol's section 9).

asynq takes members out of their group into a set of their own, calls its function, stores what
it returns, and deletes the set, in several steps. Here they stay in the group until one step
puts the batch in their place: a worker that dies leaves nothing behind, and nothing is doubled.
"""

import math
from collections.abc import Iterator, Sequence

from atode.broker.redis import messages
from atode.broker.redis._batches import CHUNK, CHUNK_BYTES
from atode.broker.redis._cancelling import Cancelling
from atode.broker.redis._group_batches import member_of, merge_command, release_command
from atode.broker.redis._link import Reply
from atode.broker.redis._scripts import GROUPS, MEMBERS, RECLAIM, Command
from atode.broker.redis.keys import QUEUES, keys_of, raw_id, text_id
from atode.group import Group, Member
from atode.job import Job, State

_SETS = 100
"""Sets of Go workers that are looked at in one call."""

_PARTS = 5
"""Values for each group in a reply of groups.lua."""


class Groups(Cancelling):
    """What workers with batch tasks do."""

    async def groups(self, queues: Sequence[str]) -> Sequence[Group]:
        """The groups that have members; the instants at which these joined are whole seconds."""
        # By name, since a scan may come upon one twice.
        found: dict[tuple[str, str], Group] = {}
        cursors: dict[str, str | bytes] = dict.fromkeys(queues, "0")
        while cursors:
            commands = [_groups_command(queue, cursor) for queue, cursor in cursors.items()]
            answer = await self._link.call(commands)
            for queue, [cursor, *parts] in zip(list(cursors), answer.replies, strict=True):
                found |= {(queue, group.name): group for group in _read_groups(queue, parts)}
                if cursor == b"0":
                    del cursors[queue]
                else:
                    cursors[queue] = cursor
        return [found[place] for place in sorted(found)]

    async def members(self, queue: str, group: str, *, limit: int) -> Sequence[Member]:
        """A group's first jobs, up to about a megabyte of them. Those that joined within the
        same second come in the order of their ids."""
        keys = keys_of(queue)
        found: list[Member] = []
        left, size = 1, 0
        while left and len(found) < limit and size < CHUNK_BYTES:
            command = MEMBERS.call(
                (keys.members(group), keys.groups),
                *(keys.jobs, raw_id(group), len(found), min(limit - len(found), CHUNK)),
                CHUNK_BYTES - size,
            )
            [[left, *parts]] = (await self._link.call([command])).replies
            size += sum(map(len, parts[1::2]))
            found += await self._readable(queue, group, parts)
        return found

    async def merge(
        self, queue: str, group: str, members: Sequence[Member], jobs: Sequence[Job]
    ) -> bool:
        """Put new jobs in place of members, in one step."""
        command = merge_command(queue, group, members, jobs, self._clock.now())
        [_, done] = (await self._link.call([("SADD", QUEUES, queue), command])).replies
        return bool(done)

    async def release(self, queue: str, group: str, members: Sequence[Member]) -> int:
        """Make members pending; how many it were, unless an answer was lost."""
        number = 0
        now = self._clock.now()
        for start in range(0, len(members), CHUNK):
            leaving = [(member, b"") for member in members[start : start + CHUNK]]
            command = release_command(queue, group, leaving, now)
            [left] = (await self._link.call([command])).replies
            number += left
        return number

    async def _reclaim(self, queue: str) -> None:
        """Give back to their groups the members that Go workers took and never finished (9.4).

        Also notes the names of groups that Go servers have given members without that (trap 10).
        """
        keys = keys_of(queue)
        second = math.floor(self._clock.now())
        command = RECLAIM.call(
            (keys.aggregation_sets, keys.groups, keys.visits), keys.group, second, _SETS
        )
        done = _SETS
        while done == _SETS:
            [done] = (await self._link.call([command])).replies

    async def _readable(self, queue: str, group: str, parts: Sequence[Reply]) -> list[Member]:
        found: list[Member] = []
        broken: list[tuple[Member, bytes]] = []
        now = self._clock.now()
        for raw, message in zip(parts[::2], parts[1::2], strict=True):
            job, problem = messages.read(message, queue, text_id(raw), State.AGGREGATING)
            if problem:
                dead = job._replace(state=State.ARCHIVED, error=problem, last_failed_at=now)
                broken.append((member_of(job, message), messages.updated(message, job, dead)))
            else:
                found.append(member_of(job, message))
        if broken:
            # It would block every worker that looks at the group, Go's as well.
            await self._link.call([release_command(queue, group, broken, now)])
        return found


def _groups_command(queue: str, cursor: str | bytes) -> Command:
    keys = keys_of(queue)
    return GROUPS.call((keys.groups,), keys.jobs, keys.group, cursor, CHUNK)


def _read_groups(queue: str, parts: Sequence[Reply]) -> Iterator[Group]:
    for start in range(0, len(parts), _PARTS):
        name, size, oldest, newest, task = parts[start : start + _PARTS]
        text = task.decode("utf-8", "replace")
        yield Group(queue, text_id(name), size, float(oldest), float(newest), text)
