"""Random plays on a broker, with crashes in between, that have to go as in the memory broker.

The memory broker is the protocol in dictionaries, so whatever can be seen of another one after
any number of steps has to be the same there. For your own broker:

    def test_it_does_what_the_memory_broker_does() -> None:
        play(MyStage())

This needs `hypothesis`. Each play is a number of steps on an empty store: calls with
arguments that clash as often as not, time that passes, and things that go wrong. A failure is
reported as the shortest play that shows it.
"""

import asyncio
import math
import os
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from itertools import count
from typing import Any, NamedTuple, TypeVar, cast

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from atode.broker.memory import MemoryBroker
from atode.broker.protocol import Broker, Refused, Which
from atode.errors import BrokerUnavailable
from atode.group import Member
from atode.job import Claim, Job, State
from atode.outcome import Outcome, Settlement, decide
from atode.retry import Retry, fixed
from atode.schedule import Tick
from atode.testing._play import (
    DRAFTS,
    FATES,
    IDS,
    LEASES,
    OUTCOMES,
    PAYLOADS,
    QUEUES,
    SPANS,
    WHICH,
    WORKERS,
    Draft,
    Fate,
    Stage,
    in_order,
    scope_of,
    seen_claim,
    seen_job,
    seen_moved,
    seen_stats,
)
from atode.testing.clock import FakeClock
from atode.testing.differences import Promise
from atode.transfer import Arrival, Moved, Stamp

PLAYS = "ATODE_TEST_PLAYS"
"""Environment variable: how many plays, other ones each time. Else a few, always the same."""

ALL = 1000
Answer = TypeVar("Answer")


def play(stage: Stage, differences: Collection[Promise] = ()) -> None:
    """Let random steps be taken on a store, and fail where it is seen to differ from the memory
    broker in anything but `differences`."""
    plays = int(os.environ.get(PLAYS, "0"))
    # It says that it wants a class, and calls it.
    machine = cast("type[RuleBasedStateMachine]", partial(BrokerMachine, stage, differences))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=plays or 25,
            stateful_step_count=50 if plays else 25,
            derandomize=not plays,
            database=None,
            deadline=None,
            print_blob=bool(plays),
            suppress_health_check=list(HealthCheck),
        ),
    )


class Side(NamedTuple):
    """One of the two brokers."""

    broker: Broker
    number: int
    """Its place in what is kept for both: 0 for the model, 1 for the real one."""


Claims = tuple[Claim, Claim]
Members = tuple[Member, Member]
Call = Callable[[Side], Awaitable[Answer]]


class BrokerMachine(RuleBasedStateMachine):
    """Takes each step on the model and on the real broker, and compares."""

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

    # jobs come

    @rule(queue=QUEUES, drafts=st.lists(DRAFTS, min_size=1, max_size=4), fate=FATES)
    def enqueue(self, queue: str, drafts: Sequence[Draft], fate: Fate) -> None:
        jobs = [self._job(draft, queue) for draft in drafts]
        self._same(lambda side: side.broker.enqueue(jobs), _refusals, fate)

    @rule(queue=QUEUES, schedule=st.sampled_from("xy"), draft=DRAFTS, worker=WORKERS, fate=FATES)
    def tick(self, queue: str, schedule: str, draft: Draft, worker: str, fate: Fate) -> None:
        job = self._job(draft._replace(member_of=""), queue)
        tick = Tick(schedule, self._clock.now() + draft.delay, job)
        self._same(lambda side: side.broker.tick([tick], worker=worker), list, fate)
        self._same(lambda side: side.broker.fired(schedule), list)

    # workers

    @rule(
        queues=st.lists(QUEUES, min_size=1, max_size=2, unique=True),
        limit=st.integers(1, 4),
        lease=LEASES,
        worker=WORKERS,
    )
    def claim(self, queues: Sequence[str], limit: int, lease: float, worker: str) -> None:
        self._take(
            lambda side: side.broker.claim(queues, limit=limit, lease=lease, worker=worker),
        )

    @rule(lease=LEASES, worker=WORKERS)
    def reap(self, lease: float, worker: str) -> None:
        self._take(
            lambda side: _by_id(
                side.broker.reap(["a", "b"], limit=ALL, lease=lease, worker=worker)
            ),
        )

    @precondition(lambda self: self._claims)
    @rule(data=st.data(), lease=LEASES, fate=FATES)
    def extend(self, data: st.DataObject, lease: float, fate: Fate) -> None:
        claims = self._some(data, self._claims)
        self._same(
            lambda side: side.broker.extend([each[side.number] for each in claims], lease=lease),
            self._seen_claims,
            fate,
        )

    @precondition(lambda self: self._claims)
    @rule(
        data=st.data(),
        outcomes=st.lists(OUTCOMES, min_size=3, max_size=3),
        fate=FATES,
    )
    def settle(self, data: st.DataObject, outcomes: Sequence[Outcome], fate: Fate) -> None:
        ends = list(zip(self._some(data, self._claims), outcomes, strict=False))
        policies = [Retry(5, fixed(self._due(3) - self._clock.now())) for _ in ends]
        now = self._clock.now()

        def settlements(side: Side) -> list[Settlement]:
            return [
                decide(claims[side.number], outcome, policy, now)
                for (claims, outcome), policy in zip(ends, policies, strict=True)
            ]

        self._same(
            lambda side: side.broker.settle(settlements(side)),
            lambda refused: self._seen_claims([each.claim for each in refused]),
            fate,
        )

    @precondition(lambda self: self._claims)
    @rule(worker=WORKERS)
    def die(self, worker: str) -> None:
        """A worker is gone, and nobody else knows what it held."""
        self._claims = [each for each in self._claims if each[0].worker != worker]

    @rule(
        holder=st.sampled_from("pqr"),
        limit=st.integers(1, 2),
        span=st.sampled_from([4.3, 40.3]),
        fate=FATES,
    )
    def take_place(self, holder: str, limit: int, span: float, fate: Fate) -> None:
        until = self._clock.now() + span
        self._places.append((holder, until))
        self._same(
            lambda side: side.broker.take_place("s", holder, limit=limit, until=until), fate=fate
        )

    @precondition(lambda self: self._places)
    @rule(data=st.data(), fate=FATES)
    def free_place(self, data: st.DataObject, fate: Fate) -> None:
        holder, until = data.draw(st.sampled_from(self._places))
        self._same(lambda side: side.broker.free_place("s", holder, until=until), fate=fate)

    # upkeep

    @rule(span=SPANS)
    def wait(self, span: int) -> None:
        self._clock.advance(span * self._scope.moment if span == 1 else span)

    @rule()
    def promote(self) -> None:
        self._same(self._promoted)

    async def _promoted(self, side: Side) -> float | None:
        due: float | None = 0.0
        while due is not None and due <= self._clock.now():
            due = await side.broker.promote(["a", "b"])
        return due and round(due, 3)

    @rule()
    def prune(self) -> None:
        self._same(lambda side: side.broker.prune(["a", "b"]))

    # groups

    @rule(queue=QUEUES, group=st.sampled_from("gh"))
    def look_at_members(self, queue: str, group: str) -> None:
        found = self._both(lambda side: side.broker.members(queue, group, limit=ALL))
        jobs = [self._listed(queue, State.AGGREGATING, [m.job for m in each]) for each in found]
        assert jobs[1] == jobs[0]
        by_id = [sorted(each, key=lambda member: member.job.id) for each in found]
        self._members = list(zip(*by_id, strict=True))

    @precondition(lambda self: self._members)
    @rule(data=st.data(), number=st.integers(1, 2), fate=FATES)
    def merge(self, data: st.DataObject, number: int, fate: Fate) -> None:
        chosen = self._some(data, self._members)
        first = chosen[0][0].job
        jobs = [self._batch(first.queue) for _ in range(number)]
        self._same(
            lambda side: side.broker.merge(
                first.queue, first.group, [each[side.number] for each in chosen], jobs
            ),
            fate=fate,
        )

    @precondition(lambda self: self._members)
    @rule(data=st.data(), fate=FATES)
    def release(self, data: st.DataObject, fate: Fate) -> None:
        chosen = self._some(data, self._members)
        first = chosen[0][0].job
        self._same(
            lambda side: side.broker.release(
                first.queue, first.group, [each[side.number] for each in chosen]
            ),
            fate=fate,
        )

    # operators

    @rule(
        action=st.sampled_from(["run", "archive", "delete", "cancel"]),
        queue=QUEUES,
        which=WHICH,
        fate=FATES,
    )
    def act(self, action: str, queue: str, which: Which, fate: Fate) -> None:
        if action == "run" and isinstance(which, State):
            # Last in line, but nobody says in which order among themselves.
            jobs = self._run(self._model.broker.find(queue, which, limit=ALL))
            self._together |= dict.fromkeys(((queue, job.id) for job in jobs), next(self._numbers))
        self._same(lambda side: getattr(side.broker, action)(queue, which), fate=fate)

    @rule(action=st.sampled_from(["pause", "resume"]), queue=QUEUES, fate=FATES)
    def hold(self, action: str, queue: str, fate: Fate) -> None:
        self._same(lambda side: getattr(side.broker, action)(queue), fate=fate)

    @rule(queue=QUEUES, job_id=IDS, payload=PAYLOADS, fate=FATES)
    def replace_payload(self, queue: str, job_id: str, payload: bytes, fate: Fate) -> None:
        self._same(lambda side: side.broker.replace_payload(queue, job_id, payload), fate=fate)

    @rule(queue=QUEUES, force=st.booleans(), fate=FATES)
    def remove(self, queue: str, force: bool, fate: Fate) -> None:
        self._same(lambda side: side.broker.remove(queue, force=force), fate=fate)

    @rule(queue=QUEUES, is_repeated=st.booleans())
    def move_away_and_back(self, queue: str, is_repeated: bool) -> None:
        """What a mover does, with this store as the old one and the new one."""
        mover = f"mover{next(self._numbers)}"
        stamps = [Stamp(mover, 1), Stamp(mover, 2)]
        self._same(lambda side: side.broker.start_giving(queue, mover=mover))
        pages = self._both(lambda side: self._given(side, queue, mover))
        mine, found = ([seen_moved(each, self._scope) for each in page] for page in pages)
        assert found == mine, f"{found} instead of {mine}"
        gone = [moved.job.id for moved in pages[0]]
        for _ in range(1 + is_repeated):
            self._same(lambda side: side.broker.given(queue, gone, stamp=stamps[0]), list)
        self._same(
            lambda side: side.broker.start_receiving(queue, mover=mover, given=None, paused=False)
        )
        # A mover brings nothing where there is nothing.
        for _ in range(1 + is_repeated if gone else 0):
            self._same(
                lambda side: side.broker.receive(queue, pages[side.number], stamp=stamps[1]),
                _arrival,
            )
        self._same(lambda side: side.broker.finish_moving(queue, mover=mover))
        self._same(lambda side: side.broker.resume(queue))

    async def _given(self, side: Side, queue: str, mover: str) -> list[Moved]:
        return [
            moved
            for state in State
            if state is not State.ACTIVE
            for moved in sorted(
                await side.broker.give(queue, state, mover=mover), key=self._in_pages(queue, state)
            )
        ]

    # crashes

    @rule(is_closed=st.booleans())
    def reopen(self, is_closed: bool) -> None:
        """The process ends, in good order or not, and another one goes on."""
        if is_closed:
            self._run(self._real.broker.close())
        self._real = self._reopened()

    @rule()
    def cut(self) -> None:
        """All connections are cut while nobody says anything."""
        self._run(self._stage.cut())

    # what can be seen

    @invariant()
    def all_is_the_same(self) -> None:
        self._same(lambda side: side.broker.queues(), list)
        for queue in ("a", "b"):
            self._compare(queue)
        self._same(
            lambda side: side.broker.marked([each[side.number] for each in self._claims]),
            self._seen_claims,
        )
        # Nothing happens twice in one instant.
        self._clock.advance(self._scope.moment)

    def _compare(self, queue: str) -> None:
        step = next(self._numbers)

        def jobs(state: State) -> Call[Sequence[Job]]:
            return lambda side: side.broker.find(queue, state, limit=ALL)

        for state in State:
            mine, found = self._both(jobs(state))
            self._enter(queue, state, mine, step)
            expected, listed = (self._listed(queue, state, each) for each in (mine, found))
            assert listed == expected, f"{state} in {queue}: {listed} instead of {expected}"
        self._same(lambda side: side.broker.stats(queue), partial(seen_stats, scope=self._scope))
        self._same(lambda side: side.broker.groups([queue]), sorted)

    @rule(queue=QUEUES, job_id=IDS)
    def look(self, queue: str, job_id: str) -> None:
        self._same(lambda side: side.broker.get(queue, job_id), seen_job)
        self._same(lambda side: side.broker.history(queue, 3), list)
        self._same(lambda side: side.broker.last_ticks(queue, ["x", "y"]), list)

    # how it is done

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
        return self._runner.run(_awaited(awaitable))

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


async def _awaited(awaitable: Awaitable[Answer]) -> Answer:
    return await awaitable


async def _by_id(claiming: Awaitable[Sequence[Claim]]) -> Sequence[Claim]:
    return sorted(await claiming, key=lambda claim: (claim.job.queue, claim.job.id))


def _refusals(refused: Sequence[Refused]) -> list[tuple[str, str]]:
    # In no particular order.
    return sorted((each.job.id, each.holder) for each in refused)


def _arrival(arrival: Arrival) -> tuple[object, ...]:
    return list(arrival.refused), list(arrival.unlocked), arrival.rounded
