"""Moving queues from Redis to another store, or from another store to Redis."""

import math
from collections.abc import Sequence

from atode.broker.redis import _transports
from atode.broker.redis._cancelling import Cancelling
from atode.broker.redis._scripts import DEPART, EXPECT, FINISH
from atode.broker.redis._transports import Written
from atode.broker.redis.keys import QUEUES, keys_of
from atode.job import State
from atode.transfer import Arrival, Departure, Moved, Stamp, goes_on, id_taken, superseded


class Moving(Cancelling):
    """Each turn of a mover is one script call; all are harmless when they are sent twice."""

    async def start_giving(self, queue: str, *, mover: str) -> Departure:
        """Pause the queue, for Go workers too, and note who moves it."""
        keys = keys_of(queue)
        second = math.floor(self._clock.now())
        command = DEPART.call((keys.paused, keys.move), mover, second)
        [(given, was_paused)] = (await self._link.call([command])).replies
        return Departure(Stamp.of(given.decode()), was_paused == b"1")

    async def give(
        self, queue: str, state: State, *, mover: str, offset: int = 0, limit: int = 500
    ) -> Sequence[Moved]:
        """The first jobs in a state; ids without a job are dropped."""
        found: list[Moved] = []
        looked = 1
        while looked and not found:  # A page of nothing but ids without a job is not the end.
            command = _transports.give_command(queue, state, mover, offset, limit)
            [reply] = (await self._link.call([command])).replies
            if reply == b"paused":
                raise goes_on(queue)
            if reply == b"mover":
                raise superseded(queue)
            looked, *parts = reply
            found = list(_transports.read_moved(parts, queue, state))
        return found

    async def given(self, queue: str, ids: Sequence[str], *, stamp: Stamp) -> Sequence[str]:
        """Delete jobs that have arrived elsewhere."""
        if not ids:
            return []
        answer = await self._link.call([_transports.given_command(queue, ids, stamp)])
        places: Sequence[int] = answer.replies[0]
        if places == [-1]:
            raise superseded(queue)
        return [ids[place - 1] for place in places]

    async def start_receiving(
        self, queue: str, *, mover: str, given: Stamp | None, paused: bool
    ) -> None:
        """Note who brings the jobs of the queue."""
        keys = keys_of(queue)
        command = EXPECT.call(
            (keys.paused, keys.move, keys.received),
            mover,
            *(given or Stamp("", 0)),
            "1" if paused else "0",
            math.floor(self._clock.now()),
        )
        await self._link.call([command])

    async def receive(self, queue: str, jobs: Sequence[Moved], *, stamp: Stamp) -> Arrival:
        """Store jobs as they were, with durations in whole seconds."""
        written, refused = _transports.written(jobs)
        if not written:
            return Arrival(refused)
        command = _transports.receive_command(queue, written, stamp, self._clock.now())
        answer = await self._link.call([("SADD", QUEUES, queue), command])
        if answer.replies[1] == -1:
            raise superseded(queue)
        taken, unlocked = (_chosen(written, places) for places in answer.replies[1])
        rounded = sum(each.is_rounded for each in written if each.id not in set(taken))
        return Arrival([*refused, *map(id_taken, taken)], unlocked, rounded)

    async def finish_moving(self, queue: str, *, mover: str) -> None:
        """Delete the private keys of the move."""
        keys = keys_of(queue)
        await self._link.call([FINISH.call((keys.move, keys.received), mover)])


def _chosen(written: Sequence[Written], places: Sequence[int]) -> list[str]:
    return [written[place - 1].id for place in places]
