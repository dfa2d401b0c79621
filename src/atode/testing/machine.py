"""Random plays on a broker, with crashes in between, that have to go as in the memory broker.

The memory broker is the protocol in dictionaries, so whatever can be seen of another one after
any number of steps has to be the same there. For your own broker:

    def test_it_does_what_the_memory_broker_does() -> None:
        play(MyStage())

This needs `hypothesis`. Each play is a number of steps on an empty store: calls with
arguments that clash as often as not, time that passes, and things that go wrong. A failure is
reported as the shortest play that shows it.
"""

import os
from collections.abc import Awaitable, Collection, Sequence
from functools import partial
from typing import cast

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from atode.broker.protocol import Refused, Which
from atode.job import Claim, State
from atode.outcome import Outcome, Settlement, Snoozed, decide
from atode.retry import Retry, fixed
from atode.schedule import Tick
from atode.testing._comparison import Comparison, Side
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
    seen_job,
    seen_moved,
)
from atode.testing.differences import Promise
from atode.testing.jobs import ALL
from atode.transfer import Arrival, Moved, Stamp

PLAYS = "ATODE_TEST_PLAYS"
"""Environment variable: how many plays, other ones each time. Else a few, always the same."""


def play(
    stage: Stage, differences: Collection[Promise] = (), *, plays: int = 25, shrinks: bool = True
) -> None:
    """Let random steps be taken on a store, and fail where it is seen to differ from the memory
    broker in anything but `differences`.

    `plays` is how often it begins anew, unless the variable ATODE_TEST_PLAYS tells another number.
    With `shrinks` it looks for a short way to the failure.
    """
    wanted = int(os.environ.get(PLAYS, "0"))
    phases = {Phase.generate, *([Phase.shrink] if shrinks else [])}
    # It says that it wants a class, and calls it.
    machine = cast("type[RuleBasedStateMachine]", partial(BrokerMachine, stage, differences))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=wanted or plays,
            stateful_step_count=40,
            derandomize=not wanted,
            phases=phases,
            database=None,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


class BrokerMachine(Comparison):
    """Takes each step on the model and on the real broker, and compares."""

    # jobs come

    @initialize(drafts=st.lists(DRAFTS, min_size=2, max_size=6))
    def begin(self, drafts: Sequence[Draft]) -> None:
        self.enqueue("a", drafts, Fate.ANSWERED)

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
        # No two jobs are due at one instant: which of them comes first, nobody says.
        own = [
            Snoozed(self._due(1) - self._clock.now()) if isinstance(each, Snoozed) else each
            for each in outcomes
        ]
        ends = list(zip(self._some(data, self._claims), own, strict=False))
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

    @rule(work=st.sampled_from(["promote", "promote", "prune"]))
    def keep_up(self, work: str) -> None:
        if work == "promote":
            self._same(self._promoted)
        else:
            self._same(lambda side: side.broker.prune(["a", "b"]))

    async def _promoted(self, side: Side) -> float | None:
        due: float | None = 0.0
        while due is not None and due <= self._clock.now():
            due = await side.broker.promote(["a", "b"])
        return due and round(due, 3)

    # groups

    @rule(
        queue=QUEUES,
        group=st.sampled_from("gh"),
        data=st.data(),
        number=st.integers(0, 2),
        fate=FATES,
    )
    def end_group(
        self, queue: str, group: str, data: st.DataObject, number: int, fate: Fate
    ) -> None:
        """Merge some members into some jobs, or release them; perhaps as they were read earlier."""
        self._look_at_members(queue, group)
        if not self._members:
            return
        chosen = self._some(data, self._members)
        first = chosen[0][0].job
        jobs = [self._batch(first.queue) for _ in range(number)]

        if not jobs:
            self._line_up(first.queue, [each[0].job.id for each in chosen])

        def end(side: Side) -> Awaitable[bool | int]:
            members = [each[side.number] for each in chosen]
            if not jobs:
                return side.broker.release(first.queue, first.group, members)
            return side.broker.merge(first.queue, first.group, members, jobs)

        self._same(end, fate=fate)

    def _look_at_members(self, queue: str, group: str) -> None:
        found = self._both(lambda side: side.broker.members(queue, group, limit=ALL))
        jobs = [self._listed(queue, State.AGGREGATING, [m.job for m in each]) for each in found]
        assert jobs[1] == jobs[0], f"{jobs[1]} instead of {jobs[0]}"
        by_id = [sorted(each, key=lambda member: member.job.id) for each in found]
        self._members = [*zip(*by_id, strict=True), *self._members[:3]]

    # operators

    @rule(
        action=st.sampled_from(["run", "archive", "delete", "cancel"]),
        queue=QUEUES,
        which=WHICH,
        fate=FATES,
    )
    def act(self, action: str, queue: str, which: Which, fate: Fate) -> None:
        if action == "run":
            self._line_up(queue, self._ids(queue, which))
        self._same(lambda side: getattr(side.broker, action)(queue, which), fate=fate)

    @rule(
        action=st.sampled_from(["pause", "resume", "resume", "replace", "remove", "force"]),
        queue=QUEUES,
        job_id=IDS,
        payload=PAYLOADS,
        fate=FATES,
    )
    def operate(self, action: str, queue: str, job_id: str, payload: bytes, fate: Fate) -> None:
        def done(side: Side) -> Awaitable[bool]:
            match action:
                case "pause":
                    return side.broker.pause(queue)
                case "resume":
                    return side.broker.resume(queue)
                case "replace":
                    return side.broker.replace_payload(queue, job_id, payload)
                case _:
                    return side.broker.remove(queue, force=action == "force")

        self._same(done, fate=fate)

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

    @rule(fault=st.sampled_from(["close", "abandon", "cut", "w1", "w2"]))
    def crash(self, fault: str) -> None:
        """The process ends, in good order or not, and another one goes on; or all connections
        are cut while nobody says anything; or a worker forgets what it holds."""
        match fault:
            case "close" | "abandon":
                if fault == "close":
                    self._run(self._real.broker.close())
                self._real = self._reopened()
            case "cut":
                self._run(self._stage.cut())
            case _:
                self._claims = [each for each in self._claims if each[0].worker != fault]

    @rule(queue=QUEUES, job_id=IDS)
    def look(self, queue: str, job_id: str) -> None:
        self._same(lambda side: side.broker.get(queue, job_id), seen_job)
        self._same(lambda side: side.broker.history(queue, 3), list)
        self._same(lambda side: side.broker.last_ticks(queue, ["x", "y"]), list)


async def _by_id(claiming: Awaitable[Sequence[Claim]]) -> Sequence[Claim]:
    return sorted(await claiming, key=lambda claim: (claim.job.queue, claim.job.id))


def _refusals(refused: Sequence[Refused]) -> list[tuple[str, str]]:
    # In no particular order.
    return sorted((each.job.id, each.holder) for each in refused)


def _arrival(arrival: Arrival) -> tuple[object, ...]:
    return list(arrival.refused), list(arrival.unlocked), arrival.rounded
