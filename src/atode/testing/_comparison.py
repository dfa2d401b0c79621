"""Two brokers that are asked the same, and whatever can be seen of them."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from atode.broker.memory import MemoryBroker
from atode.broker.protocol import Broker, Which
from atode.errors import BrokerUnavailable
from atode.group import Member
from atode.job import Claim, Job, State
from atode.testing._play import (
    Draft,
    Fate,
    Stage,
    in_order,
    scope_of,
    seen_claim,
    seen_stats,
)
from atode.testing.clock import FakeClock
from atode.testing.differences import Promise
from atode.testing.jobs import ALL
from atode.transfer import Moved

Answer = TypeVar("Answer")


class Side(NamedTuple):
    """One of the two brokers."""

    broker: Broker
    number: int
    """Its place in what is kept for both: 0 for the model, 1 for the real one."""


Claims = tuple[Claim, Claim]
Members = tuple[Member, Member]
Call = Callable[[Side], Awaitable[Answer]]


class Observation(NamedTuple):
    """What can be seen of a store."""

    jobs: Mapping[tuple[str, State], Sequence[Job]]
    others: Sequence[object]


class Comparison(RuleBasedStateMachine):
    """What a play consists of beside its steps."""

    def __init__(self, stage: Stage, differences: Collection[Promise] = ()) -> None:
        super().__init__()
        self._stage = stage
        self._scope = scope_of(differences)
        self._runner = asyncio.Runner()
        self._clock = FakeClock()
        self._model = Side(MemoryBroker(self._clock), 0)
        self._opened: list[Broker] = []
        self._run(stage.empty())
        self._real = self._reopened()
        self._claims: list[Claims] = []
        self._members: list[Members] = []
        self._places: list[tuple[str, float]] = []
        self._together: dict[tuple[str, str], int] = {}
        self._since: dict[tuple[str, State, str], int] = {}
        self._numbers = count(1)
        self._last_due = 0.0

    def teardown(self) -> None:
        for broker in self._opened:
            self._run(broker.close())
        self._runner.close()

    # what can be seen

    @invariant()
    def all_is_the_same(self) -> None:
        step = next(self._numbers)
        mine, found = self._both(self._observed)
        for (queue, state), jobs in mine.jobs.items():
            self._enter(queue, state, jobs, step)
            expected, listed = (
                self._listed(queue, state, each.jobs[queue, state]) for each in (mine, found)
            )
            assert listed == expected, f"{state} in {queue}: {listed} instead of {expected}"
        assert found.others == mine.others, f"{found.others} instead of {mine.others}"
        self._same(
            lambda side: side.broker.marked([each[side.number] for each in self._claims]),
            self._seen_claims,
        )
        # Nothing happens twice in one instant.
        self._clock.advance(self._scope.moment)

    def _ids(self, queue: str, which: Which) -> list[str]:
        if not isinstance(which, State):
            return list(which)
        return [job.id for job in self._run(self._model.broker.find(queue, which, limit=ALL))]

    def _line_up(self, queue: str, ids: Sequence[str]) -> None:
        """These come last in line, but nobody says in which order among themselves."""
        together = next(self._numbers)
        for job_id in ids:
            job = self._run(self._model.broker.get(queue, job_id))
            if job and job.state is not State.PENDING:
                self._together[queue, job_id] = together

    async def _observed(self, side: Side) -> Observation:
        broker = side.broker
        jobs = {
            (queue, state): await broker.find(queue, state, limit=ALL)
            for queue in ("a", "b")
            for state in State
        }
        stats = [seen_stats(await broker.stats(queue), self._scope) for queue in ("a", "b")]
        groups = [sorted(await broker.groups([queue])) for queue in ("a", "b")]
        return Observation(jobs, [list(await broker.queues()), stats, groups])

    def _take(self, call: Call[Sequence[Claim]]) -> None:
        mine, found = self._both(call)
        expected, seen = (self._seen_claims(claims) for claims in (mine, found))
        assert seen == expected, f"{seen} instead of {expected}"
        # Those of earlier holders stay: they settle late.
        self._claims = [*self._claims, *zip(mine, found, strict=True)][-12:]

    def _seen_claims(self, claims: Sequence[Claim]) -> list[object]:
        return [seen_claim(claim, self._scope) for claim in claims]

    def _same(
        self,
        call: Call[Answer],
        see: Callable[[Answer], Any] = lambda answer: answer,
        fate: Fate = Fate.ANSWERED,
    ) -> None:
        """Make a call on both sides, and compare what is seen of the answers, if the real one
        can know them."""
        if fate in (Fate.CUT, Fate.CANCELLED):
            self._run(call(self._model))
            self._run(self._disturbed(call, fate))
            self._run(self._sure(call))
            return
        for _ in range(1 + (fate is Fate.REPEATED)):
            mine, found = (see(answer) for answer in self._both(call))
            assert found == mine, f"{found} instead of {mine}"

    def _both(self, call: Call[Answer]) -> tuple[Answer, Answer]:
        return self._run(call(self._model)), self._run(self._sure(call))

    async def _sure(self, call: Call[Answer]) -> Answer:
        for _ in range(50):
            try:
                return await call(self._real)
            except BrokerUnavailable:
                await asyncio.sleep(0.01)
        return await call(self._real)

    async def _disturbed(self, call: Call[Answer], fate: Fate) -> None:
        """Make a call that may come through or not."""
        calling = asyncio.ensure_future(call(self._real))
        for _ in range(next(self._numbers) % 4):
            await asyncio.sleep(0)
        if fate is Fate.CUT:
            await self._stage.cut()
        else:
            calling.cancel()
        [ended] = await asyncio.gather(calling, return_exceptions=True)
        if isinstance(ended, BaseException):
            assert isinstance(ended, BrokerUnavailable | asyncio.CancelledError), repr(ended)

    def _reopened(self) -> Side:
        broker = self._stage.broker(self._clock)
        self._opened.append(broker)
        self._run(broker.open())
        return Side(broker, 1)

    def _run(self, awaitable: Awaitable[Answer]) -> Answer:
        return self._runner.get_loop().run_until_complete(awaitable)

    def _some(self, data: st.DataObject, items: Sequence[Answer]) -> list[Answer]:
        places = st.lists(st.integers(0, len(items) - 1), min_size=1, max_size=3, unique=True)
        return [items[place] for place in data.draw(places)]

    def _job(self, draft: Draft, queue: str) -> Job:
        return draft.job(queue, self._due(draft.delay), self._scope)

    def _batch(self, queue: str) -> Job:
        return Job(id=f"batch{next(self._numbers)}", task="demo", queue=queue, payload=b"[]")

    def _due(self, delay: float) -> float:
        """An instant about so many seconds ahead, at which nothing else is due."""
        self._last_due = max(self._last_due, self._clock.now()) + 0.125
        return self._last_due + delay

    def _enter(self, queue: str, state: State, jobs: Sequence[Job], step: int) -> None:
        before = self._since
        now = {(queue, state, job.id) for job in jobs}
        others = {key: since for key, since in before.items() if key[:2] != (queue, state)}
        self._since = others | {key: before.get(key, step) for key in now}
        if state is State.PENDING:
            gone = {key for key in self._together if key[0] == queue} - {
                (queue, job.id) for job in jobs
            }
            for key in gone:
                del self._together[key]

    def _listed(self, queue: str, state: State, jobs: Sequence[Job]) -> list[Job | None]:
        return in_order(jobs, self._instant(queue, state))

    def _instant(self, queue: str, state: State) -> Callable[[Job], float]:
        """By which jobs in a state are in order; it says nothing about those with the same."""
        if state is State.PENDING:
            numbers = count(-1, -1)
            return lambda job: self._together.get((queue, job.id)) or next(numbers)
        if state in (State.SCHEDULED, State.RETRY):
            return lambda job: math.ceil(job.due / self._scope.listed)
        if state is State.ACTIVE:
            return lambda job: 0.0
        if state is State.COMPLETED:
            return lambda job: job.kept_until
        return lambda job: self._since.get((queue, state, job.id), 0)

    def _in_pages(self, queue: str, state: State) -> Callable[[Moved], tuple[float, str]]:
        instant = self._instant(queue, state)
        return lambda moved: (instant(moved.job), moved.job.id)
