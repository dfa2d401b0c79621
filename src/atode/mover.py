"""Moves queues from one store to another, so that each job arrives once, however often it is
stopped and started again."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from uuid import uuid4

from atode.broker.protocol import Broker
from atode.clock import Clock
from atode.job import State
from atode.outcome import abandoned
from atode.transfer import Left, Moved, Stamp

AT_ONCE = 500
"""Jobs that travel together; fewer where they are large."""

MOST_NAMED = 100
"""Jobs that a report names one by one; of more it tells the number."""

LAST_ROUNDS = 10
"""How often it is looked for jobs that producers stored meanwhile."""

_LOOK_EVERY = 0.5
_LEASE = 30.0

# What runs next is brought first. Active jobs stay until they have ended.
ORDER = (
    State.PENDING,
    State.SCHEDULED,
    State.RETRY,
    State.AGGREGATING,
    State.COMPLETED,
    State.ARCHIVED,
)


class Holder(NamedTuple):
    """A worker that still runs a job of a queue that is to move."""

    queue: str
    job_id: str
    task: str
    worker: str


class Progress(NamedTuple):
    """How far the move is."""

    moved: int
    total: int
    """Jobs that were moved and jobs that are known to come."""
    running: int = 0
    holders: Sequence[Holder] = ()


class Report(NamedTuple):
    """What became of a queue."""

    queue: str
    moved: Mapping[State, int]
    """How many jobs arrived, by state; this time, if it was begun before."""
    left_count: int
    left: Sequence[Left]
    """The first of the jobs that could not leave, or were refused."""
    unlocked: Sequence[str]
    """The first of the jobs that came without their lock, because another job there has it."""
    rounded: int
    """Jobs whose timeout, deadline or retention is kept in whole seconds from now on."""
    running: int
    """Jobs that workers of the old store were still running in the end."""
    more: int
    """Jobs that producers stored in the old store until the end."""
    paused: bool
    """Whether it is paused in the new store: because it was before, here or there."""

    @property
    def is_complete(self) -> bool:
        """Whether the old store has no job of the queue any more."""
        return not (self.left_count or self.running or self.more)


class Passage:
    """One queue on its way."""

    def __init__(self, source: Broker, target: Broker, queue: str) -> None:
        self.queue = queue
        self.moved: Counter[State] = Counter()
        self._source = source
        self._target = target
        self._stamp = Stamp(uuid4().hex, 0)
        self._left: dict[str, Left] = {}
        self._stuck: Counter[State] = Counter()
        self._unlocked: list[str] = []
        self._rounded = 0

    async def start(self) -> None:
        """Pause the queue, and find out how far an earlier mover came.

        The old store comes first: from then on no other mover adds to what was given.
        """
        mover = self._stamp.mover
        given, was_paused = await self._source.start_giving(self.queue, mover=mover)
        await self._target.start_receiving(self.queue, mover=mover, given=given, paused=was_paused)

    async def carry(self, told: Callable[[int], None]) -> int:
        """Move what is there now, and tell of each transport; how many jobs it were."""
        self._left.clear()
        self._stuck.clear()
        counts = await self._source.counts(self.queue)
        before = self.moved.total()
        for state in ORDER:
            await self._carry_state(state, counts[state], told)
        return self.moved.total() - before

    async def finish(self) -> Report:
        """Forget the move in both stores, and say what became of the queue."""
        # As long as the new store remembers, the old one must be able to say what of that is gone.
        for store in (self._target, self._source):
            await store.finish_moving(self.queue, mover=self._stamp.mover)
        counts = await self._source.counts(self.queue)
        stuck = self._stuck.total()
        there = await self._target.stats(self.queue)
        return Report(
            queue=self.queue,
            moved=dict(self.moved),
            left_count=stuck,
            left=list(self._left.values()),
            unlocked=self._unlocked,
            rounded=self._rounded,
            running=counts[State.ACTIVE],
            more=max(sum(counts.values()) - counts[State.ACTIVE] - stuck, 0),
            paused=there is not None and there.paused,
        )

    async def _carry_state(self, state: State, count: int, told: Callable[[int], None]) -> None:
        # As many as there were at the start: producers may be faster.
        while count > 0:
            jobs = await self._source.give(
                self.queue,
                state,
                mover=self._stamp.mover,
                offset=self._stuck[state],
                limit=min(count, AT_ONCE),
            )
            if not jobs:
                break
            count -= len(jobs)
            told(await self._transport(state, jobs))

    async def _transport(self, state: State, jobs: Sequence[Moved]) -> int:
        self._stamp = Stamp(self._stamp.mover, self._stamp.number + 1)
        sound = [moved for moved in jobs if not moved.problem]
        arrival = await self._target.receive(self.queue, sound, stamp=self._stamp)
        refused = {left.job_id for left in arrival.refused}
        arrived = [moved for moved in sound if moved.job.id not in refused]
        ids = [moved.job.id for moved in arrived]
        claimed = await self._source.given(self.queue, ids, stamp=self._stamp)
        self._stay(state, [Left(each.job.id, each.problem) for each in jobs if each.problem])
        self._stay(state, arrival.refused)
        self._stay(State.ACTIVE, [Left(job_id, _IN_BOTH) for job_id in claimed])
        self._unlocked += arrival.unlocked[: MOST_NAMED - len(self._unlocked)]
        self._rounded += arrival.rounded
        self.moved.update(moved.job.state for moved in arrived)
        return len(arrived)

    def _stay(self, state: State, left: Sequence[Left]) -> None:
        self._stuck[state] += len(left)
        for each in left[: MOST_NAMED - len(self._left)]:
            self._left[each.job_id] = each


_IN_BOTH = "a worker claimed it in the moment in which it moved, so it is in both stores"


class Mover:
    """Moves queues, and tells how far it is."""

    def __init__(
        self, source: Broker, target: Broker, clock: Clock, told: Callable[[Progress], None]
    ) -> None:
        self._source = source
        self._target = target
        self._clock = clock
        self._told = told
        self._progress = Progress(0, 0)

    async def move(self, queues: Sequence[str], *, wait: float) -> Sequence[Report]:
        """Move all jobs of these queues, which stay paused where they were.

        Running jobs are waited for, up to `wait` seconds. A move that was stopped at whatever
        moment is ended by another one between the same stores.

        Raises:
            BrokerUnavailable: one of the stores cannot be reached; move again when it can.
            BrokerRefused: somebody resumed a queue, or began another move of it.
        """
        passages = [Passage(self._source, self._target, queue) for queue in queues]
        for passage in passages:
            await passage.start()
        counts = await self._counts(passages)
        self._tell(Progress(0, counts.total()))
        await self._carry(passages)
        await self._wait(passages, self._clock.now() + wait)
        for _ in range(LAST_ROUNDS):
            if not await self._carry(passages):
                break
        return [await passage.finish() for passage in passages]

    async def _wait(self, passages: Sequence[Passage], until: float) -> None:
        """Until nothing runs any more, or it is too late."""
        while running := (await self._counts(passages))[State.ACTIVE]:
            holders = await holders_of(self._source, [passage.queue for passage in passages])
            self._tell(self._progress._replace(running=running, holders=holders))
            if self._clock.now() >= until:
                break
            await self._bury([passage.queue for passage in passages])
            await self._clock.sleep_until(min(self._clock.now() + _LOOK_EVERY, until))
            await self._carry(passages)
        self._tell(self._progress._replace(running=0, holders=()))

    async def _counts(self, passages: Sequence[Passage]) -> Counter[State]:
        """How many jobs of all these queues the old store has, by state."""
        counts: Counter[State] = Counter()
        for passage in passages:
            counts.update(await self._source.counts(passage.queue))
        return counts

    async def _bury(self, queues: Sequence[str]) -> None:
        """End the attempts of dead workers, as any worker does; perhaps none is left here."""
        claims = await self._source.reap(
            queues, limit=AT_ONCE, lease=_LEASE, worker=f"move:0:{uuid4().hex}"
        )
        now = self._clock.now()
        await self._source.settle([abandoned(claim, now) for claim in claims])

    async def _carry(self, passages: Sequence[Passage]) -> int:
        return sum([await passage.carry(self._arrived) for passage in passages])

    def _arrived(self, number: int) -> None:
        moved = self._progress.moved + number
        total = max(self._progress.total, moved)
        self._tell(self._progress._replace(moved=moved, total=total))

    def _tell(self, progress: Progress) -> None:
        self._progress = progress
        self._told(progress)


async def holders_of(broker: Broker, queues: Sequence[str]) -> Sequence[Holder]:
    """Who says that he runs jobs of these queues."""
    return [
        Holder(running.queue, running.job_id, running.task, presence.worker)
        for presence in await broker.workers()
        for running in presence.running
        if running.queue in queues
    ]
