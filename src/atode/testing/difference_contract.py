"""The part of the contract that some brokers keep in another way; each says in which."""

from contextlib import AbstractAsyncContextManager

import pytest

from atode.broker.optional import Transactional
from atode.broker.protocol import Broker
from atode.job import State
from atode.outcome import Failed, Released, Succeeded
from atode.testing.clock import FakeClock
from atode.testing.differences import Declared, Promise, promised
from atode.testing.jobs import a_job, end, ids, take
from atode.transfer import Stamp


class DifferenceContract(Declared):
    """A part of `BrokerContract`."""

    @pytest.fixture
    def transaction(self) -> AbstractAsyncContextManager[object] | None:
        """A connection of the caller's in a transaction, which the end of the context commits."""
        return None

    @promised(Promise.TRANSACTIONAL)
    async def test_a_job_is_there_when_its_transaction_commits(
        self, broker: Broker, transaction: AbstractAsyncContextManager[object] | None
    ) -> None:
        assert isinstance(broker, Transactional)
        assert transaction
        async with transaction as connection:
            refused = await broker.enqueue_within(connection, [a_job(id="later")])
            before = await broker.counts("default")

        assert (list(refused), before[State.PENDING]) == ([], 0)
        assert ids(await take(broker)) == ["later"]

    @promised(Promise.SIZES)
    async def test_a_queue_has_a_size_in_bytes(self, broker: Broker) -> None:
        await broker.enqueue([a_job(payload=b"x" * 5000)])

        stats = await broker.stats("default")

        assert stats
        assert stats.memory > 1000

    @promised(Promise.FRACTIONS)
    async def test_limits_may_have_fractions(self, broker: Broker) -> None:
        job = a_job(retention=2.5)._replace(timeout=1.25, deadline=1_900_009_999.75)

        await broker.enqueue([job])
        [claim] = await take(broker)

        assert claim.job == job._replace(state=State.ACTIVE)

    @promised(Promise.INSTANTS)
    async def test_it_is_known_when_a_job_failed(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(id="fails")])
        [claim] = await take(broker)
        clock.advance(0.25)
        await end(broker, claim, Failed("no"), clock)

        job = await broker.get("default", "fails")

        assert job
        assert job.last_failed_at == clock.now()

    @promised(Promise.LISTED)
    async def test_jobs_that_are_due_in_one_second_are_listed_in_order(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        now = clock.now()
        delays = {"a": 5.75, "b": 5.25, "c": 5.5}
        await broker.enqueue([a_job(id=name, due=now + delay) for name, delay in delays.items()])

        assert ids(await broker.find("default", State.SCHEDULED)) == ["b", "c", "a"]

    @promised(Promise.WAITING)
    async def test_a_job_that_was_handed_back_has_waited_since_it_was_stored(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        stored_at = clock.now()
        await broker.enqueue([a_job()])
        clock.advance(5)
        [claim] = await take(broker)
        await end(broker, claim, Released(), clock)

        stats = await broker.stats("default")

        assert stats
        assert stats.waiting_since == pytest.approx(stored_at, abs=0.001)

    @promised(Promise.JOINED)
    async def test_who_joins_in_one_second_comes_in_order(self, broker: Broker) -> None:
        for name in ("c", "a", "b"):
            await broker.enqueue([a_job(id=name, group="g")])

        members = await broker.members("default", "g", limit=9)

        assert [member.job.id for member in members] == ["c", "a", "b"]

    @promised(Promise.LATENESS)
    async def test_a_job_that_moves_tells_when_it_was_due(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        due = clock.now() + 1
        await broker.enqueue([a_job(due=due)])
        clock.advance(2)
        await broker.promote(["default"])

        await broker.start_giving("default", mover="m")
        [moved] = await broker.give("default", State.PENDING, mover="m")
        await broker.given("default", [moved.job.id], stamp=Stamp("m", 1))
        await broker.start_receiving("default", mover="m", given=None, paused=False)
        await broker.receive("default", [moved], stamp=Stamp("m", 2))
        await broker.resume("default")

        [claim] = await take(broker)
        assert claim.job.due == due

    @promised(Promise.SUCCESSORS)
    async def test_a_late_settlement_does_not_end_a_later_job(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="again")])
        [late] = await take(broker)
        await end(broker, late, Succeeded(), clock)
        await broker.enqueue([a_job(id="again")])
        await take(broker)

        refused = await end(broker, late, Succeeded(), clock)

        assert ids(refused) == ["again"]

    @promised(Promise.PLACES)
    async def test_a_place_is_free_at_its_instant(self, broker: Broker, clock: FakeClock) -> None:
        await broker.take_place("pay", "a", limit=1, until=clock.now() + 0.25)
        clock.advance(0.5)

        assert await broker.take_place("pay", "b", limit=1, until=clock.now() + 9)

    @promised(Promise.LOCK_TIMES)
    async def test_a_lock_ends_by_the_workers_clock(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(unique_for=3600)])
        clock.advance(3601)

        assert list(await broker.enqueue([a_job(unique_for=3600)])) == []
