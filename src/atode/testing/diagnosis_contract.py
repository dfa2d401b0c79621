"""The part of the contract about finding out why jobs stand still."""

from collections.abc import Mapping

from atode.broker.protocol import Broker
from atode.finding import Finding, Severity
from atode.job import State
from atode.outcome import Failed, Succeeded
from atode.presence import Presence
from atode.testing.clock import FakeClock
from atode.testing.differences import Promise, promised
from atode.testing.jobs import a_job, end, take


class DiagnosisContract:
    """A part of `BrokerContract`."""

    async def test_jobs_in_every_state_are_well(self, broker: Broker, clock: FakeClock) -> None:
        jobs = [a_job(id=f"j{n}", retention=60, max_retry=n) for n in range(4)]
        await broker.enqueue([*jobs, a_job(id="later", due=clock.now() + 9.5), a_job(id="next")])
        claims = await take(broker, limit=4)
        await end(broker, claims[0], Failed("x"), clock)
        await end(broker, claims[1], Failed("x"), clock)
        await end(broker, claims[2], Succeeded(b"1"), clock)
        await serve(broker, clock)

        counts = await broker.counts("default")

        assert {state for state, number in counts.items() if number} == set(State) - {
            State.AGGREGATING
        }
        assert await found(broker) == {}

    async def test_an_examination_needs_nothing_before_it_and_changes_nothing(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job()])
        await take(broker)
        clock.advance(1000)
        sibling = broker.sibling()

        first, second = await found(sibling), await found(sibling)
        await sibling.close()

        assert first == second
        assert (await broker.counts("default"))[State.ACTIVE] == 1

    @promised(Promise.EXAMINED)
    async def test_a_queue_that_nobody_serves(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(), a_job(due=clock.now() + 1), a_job()])
        await take(broker, limit=1)
        await serve(broker, clock, "other")
        clock.advance(200)

        finding = (await found(broker))["no-worker"]

        assert finding.severity is Severity.ERROR
        assert finding.what.endswith("1 pending, 1 overdue, 1 left active by a dead worker")
        assert "atode worker MODULE:APP --queue default" in finding.remedy

    @promised(Promise.EXAMINED)
    async def test_a_worker_that_stops_serves_nothing(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job()])
        await serve(broker, clock, status="stopped")

        assert (await found(broker)).keys() == {"no-worker"}

    @promised(Promise.EXAMINED)
    async def test_jobs_that_a_living_worker_does_not_see_to(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(), a_job(due=clock.now() + 1), a_job()])
        await take(broker, limit=1)
        clock.advance(4000)
        await serve(broker, clock)

        findings = await found(broker)

        assert findings.keys() == {"long-wait", "overdue", "abandoned"}
        assert "has waited for 1.1 hours" in findings["long-wait"].what
        assert findings["overdue"].what.endswith("pending: 1")
        assert findings["abandoned"].what.endswith("recovers: 1")

    @promised(Promise.EXAMINED)
    async def test_a_paused_queue_is_good_to_know(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job()])
        await broker.pause("default")
        clock.advance(7200)
        await serve(broker, clock)

        findings = await found(broker)

        assert findings.keys() == {"paused"}
        assert findings["paused"].severity is Severity.INFO
        assert "atode queues resume default" in findings["paused"].remedy

    @promised(Promise.EXAMINED)
    async def test_jobs_that_no_worker_knew(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job()])
        [claim] = await take(broker)
        text = "No task named 'demo' is registered here (3 are)"
        await end(broker, claim, Failed(text, permanent=True), clock)
        await serve(broker, clock)

        findings = await found(broker)

        assert findings.keys() == {"unknown-task"}
        assert "no worker knew the task 'demo'" in findings["unknown-task"].what

    async def test_there_is_nothing_to_mend_where_nothing_is_wrong(self, broker: Broker) -> None:
        assert list(await broker.mend([])) == []


async def found(broker: Broker) -> Mapping[str, Finding]:
    """What is wrong with queues, by code; about servers and disks this cannot know."""
    return {each.code: each for each in await broker.examine() if each.queue}


async def serve(
    broker: Broker, clock: FakeClock, queue: str = "default", *, status: str = "active"
) -> None:
    """Let a worker show itself."""
    presence = Presence("h:1:w", "h", 1, 9, {queue: 1}, False, status, clock.now())
    await broker.beat(presence, lifetime=60)
