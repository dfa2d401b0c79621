"""The part of the contract about cancelling jobs."""

import asyncio
from collections.abc import Sequence

import pytest

from atode.broker.protocol import Broker, Cancellation
from atode.job import Job, State
from atode.outcome import (
    CANCELLED,
    Cancelled,
    Crashed,
    Failed,
    Outcome,
    Released,
    Snoozed,
    Succeeded,
    decide,
)
from atode.testing.clock import FakeClock
from atode.testing.jobs import LEASE, POLICY, a_job, end, ids, take

PATIENCE = 20.0
ENDED = (State.ARCHIVED, State.COMPLETED)


class CancelContract:
    """A part of `BrokerContract`."""

    # jobs that wait

    async def test_a_job_that_waits_is_archived_at_once(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="p"), a_job(id="r"), a_job(id="s", due=clock.now() + 9)])
        _, retry = await take(broker)
        await broker.enqueue([a_job(id="q")])
        await end(broker, retry, Failed("first"), clock)

        assert await broker.cancel("default", ["s", "r", "q", "never-heard-of", "s"]) == 3

        clock.advance(100)
        await broker.promote(["default"])
        assert await take(broker) == []
        for job_id in ("s", "r", "q"):
            job = await stored(broker, job_id)
            assert (job.state, job.error) == (State.ARCHIVED, CANCELLED)
            assert job.last_failed_at == clock.now() - 100
        assert len(await broker.find("default", State.ARCHIVED)) == 3

    async def test_all_jobs_of_a_state_are_cancelled(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job() for _ in range(7)])
        await broker.enqueue([a_job(due=clock.now() + 9)])

        assert await broker.cancel("default", State.PENDING) == 7
        assert await broker.cancel("default", State.SCHEDULED) == 1

        counts = await broker.counts("default")
        assert (counts[State.ARCHIVED], sum(counts.values())) == (8, 8)

    async def test_what_has_ended_is_left_alone(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(id="dead", retention=60), a_job(id="done", retention=60)])
        dead, done = await take(broker)
        await end(broker, dead, Failed("no", permanent=True), clock)
        await end(broker, done, Succeeded(b"7"), clock)

        by_id = await broker.cancel("default", ["dead", "done"])
        by_state = [await broker.cancel("default", state) for state in ENDED]

        assert (by_id, by_state) == (0, [0, 0])
        assert (await stored(broker, "dead")).error == "no"
        assert (await stored(broker, "done")).state is State.COMPLETED

    async def test_a_cancelled_job_keeps_its_lock_until_it_is_deleted(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="holder", unique_for=60)])
        await broker.cancel("default", ["holder"])

        refused = await broker.enqueue([a_job(unique_for=60)])
        await broker.delete("default", ["holder"])

        assert [refusal.holder for refusal in refused] == ["holder"]
        assert list(await broker.enqueue([a_job(unique_for=60)])) == []

    async def test_queues_are_cancelled_in_for_themselves(self, broker: Broker) -> None:
        await broker.enqueue([a_job("a", id="same"), a_job("b", id="same")])
        claims = await take(broker, "b")

        assert await broker.cancel("a", ["same"]) == 1

        assert (await stored(broker, "same", "a")).state is State.ARCHIVED
        assert list(await broker.marked(claims)) == []
        assert await broker.cancel("c", ["same"]) == 0

    # jobs that run

    async def test_a_running_job_is_marked_and_goes_on(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="one"), a_job(id="two")])
        one, two = await take(broker)

        assert await broker.cancel("default", ["one"]) == 1

        assert list(await broker.marked([one, two])) == [one]
        assert list(await broker.extend([one, two], lease=LEASE)) == []
        assert (await stored(broker, "one")).state is State.ACTIVE

    async def test_all_running_jobs_are_marked(self, broker: Broker) -> None:
        await broker.enqueue([a_job() for _ in range(5)])
        claims = await take(broker, limit=3)

        assert await broker.cancel("default", State.ACTIVE) == 3

        assert ids(await broker.marked(claims)) == ids(claims)
        assert len(await take(broker)) == 2

    async def test_whoever_listens_is_told_at_once(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="j"), a_job("other", id="o")])
        await take(broker, "default", "other")
        waiting = await listening(broker, "default")

        await broker.cancel("other", ["o"])
        await broker.cancel("default", ["j"])

        assert await told(waiting) == [Cancellation("j", "default")]

    async def test_another_broker_on_the_same_store_is_told_too(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="j")])
        await take(broker)
        far = broker.sibling()
        try:
            waiting = await listening(far, "default")

            await broker.cancel("default", ["j"])

            assert await told(waiting) == [Cancellation("j", "default")]
        finally:
            await far.close()

    async def test_each_of_several_workers_is_told_of_its_own_queues(self, broker: Broker) -> None:
        await broker.enqueue([a_job("a", id="j"), a_job("b", id="j")])
        await take(broker, "a", "b")
        one = await listening(broker, "a")
        both = await listening(broker, "a", "b", worker="w2")

        await broker.cancel("a", ["j"])
        assert await told(one) == [Cancellation("j", "a")]
        assert await told(both) == [Cancellation("j", "a")]
        one = await listening(broker, "a")
        both = await listening(broker, "a", "b", worker="w2")
        await broker.cancel("b", ["j"])

        assert await told(both) == [Cancellation("j", "b")]
        assert Cancellation("j", "b") not in (one.result() if one.done() else [])
        one.cancel()

    async def test_a_second_job_is_told_of_after_the_first(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="one"), a_job(id="two")])
        await take(broker)
        waiting = await listening(broker, "default")
        await broker.cancel("default", ["one"])
        await told(waiting)

        # The first one still runs; that is no news.
        waiting = asyncio.ensure_future(broker.cancellations(["default"], worker="w1", at_most=60))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await broker.cancel("default", ["two"])

        assert await told(waiting) == [Cancellation("two", "default")]

    async def test_listening_ends_after_its_time(self, broker: Broker, clock: FakeClock) -> None:
        waiting = await listening(broker, "default")
        assert not waiting.done()

        clock.advance(61)

        assert await told(waiting) == []

    async def test_cancelled_attempts_end_in_the_archive_and_are_not_counted(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="j")])
        [claim] = await take(broker)
        await broker.cancel("default", ["j"])

        assert await end(broker, claim, Cancelled(), clock) == []

        job = await stored(broker, "j")
        stats = await broker.stats("default")
        assert (job.state, job.error, job.retried) == (State.ARCHIVED, CANCELLED, 0)
        assert stats is not None
        assert (stats.processed, stats.failed) == (0, 0)

    @pytest.mark.parametrize(
        "outcome",
        [Failed("no"), Snoozed(9), Released(), Crashed(), Cancelled(retry=True)],
        ids=lambda outcome: type(outcome).__name__,
    )
    async def test_a_marked_job_never_runs_again_however_its_attempt_ends(
        self, broker: Broker, clock: FakeClock, outcome: Outcome
    ) -> None:
        await broker.enqueue([a_job(id="j"), a_job(id="other")])
        claims = await take(broker)
        await broker.cancel("default", ["j"])

        now = clock.now()
        assert not await broker.settle([decide(each, outcome, POLICY, now) for each in claims])

        job = await stored(broker, "j")
        assert (job.state, job.error, job.last_failed_at) == (State.ARCHIVED, CANCELLED, now)
        clock.advance(100)
        await broker.promote(["default"])
        assert ids(await take(broker)) == ["other"]

    async def test_success_wins_against_the_mark(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(id="kept", retention=60), a_job(id="gone")])
        claims = await take(broker)
        await broker.cancel("default", State.ACTIVE)

        for claim in claims:
            assert await end(broker, claim, Succeeded(b"7"), clock) == []

        job = await stored(broker, "kept")
        assert (job.state, job.result, job.error) == (State.COMPLETED, b"7", "")
        assert await broker.get("default", "gone") is None

    async def test_a_failure_for_good_keeps_its_own_error(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="j")])
        [claim] = await take(broker)
        await broker.cancel("default", ["j"])

        await end(broker, claim, Failed("no", permanent=True), clock)

        assert (await stored(broker, "j")).error == "no"

    async def test_a_dead_workers_job_comes_to_the_reaper_as_cancelled(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="j"), a_job(id="other")])
        await take(broker)
        await broker.cancel("default", ["j"])
        clock.advance(LEASE + 1)

        claims = await broker.reap(["default"], limit=9, lease=LEASE, worker="w2")

        assert {claim.job.id: claim.cancelled for claim in claims} == {"j": True, "other": False}
        assert ids(await broker.marked(claims)) == ["j"]

    async def test_a_claim_that_is_lost_is_not_marked(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="j")])
        [old] = await take(broker)
        clock.advance(LEASE + 1)
        [new] = await broker.reap(["default"], limit=9, lease=LEASE, worker="w2")

        await broker.cancel("default", ["j"])

        assert list(await broker.marked([old, new])) == [new]
        assert ids(await end(broker, old, Succeeded(), clock)) == ["j"]

    async def test_a_later_job_with_the_same_id_is_not_marked(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="j")])
        [first] = await take(broker)
        await broker.cancel("default", ["j"])
        await end(broker, first, Succeeded(), clock)
        await broker.enqueue([a_job(id="j")])
        [second] = await take(broker)

        assert not second.cancelled
        assert list(await broker.marked([first, second])) == []
        await end(broker, second, Failed("no"), clock)
        assert (await stored(broker, "j")).state is State.RETRY

    async def test_a_cancelled_job_that_is_run_by_hand_runs(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="waited"), a_job(id="ran")])
        [first] = await take(broker, limit=1)
        await broker.cancel("default", ["waited", "ran"])
        await end(broker, first, Cancelled(), clock)

        assert await broker.run("default", State.ARCHIVED) == 2

        claims = await take(broker)
        assert sorted(ids(claims)) == ["ran", "waited"]
        assert not any(claim.cancelled for claim in claims)
        assert list(await broker.marked(claims)) == []
        for claim in claims:
            await end(broker, claim, Failed("again"), clock)
        assert (await broker.counts("default"))[State.RETRY] == 2

    async def test_many_are_cancelled_at_once(self, broker: Broker, clock: FakeClock) -> None:
        jobs = [a_job() for _ in range(1200)]
        await broker.enqueue(jobs)
        claims = [*await take(broker, limit=600), *await take(broker, limit=500)]

        assert await broker.cancel("default", State.ACTIVE) == 1100
        assert await broker.cancel("default", ids(jobs)) == 1200

        assert len(await broker.marked(claims)) == 1100
        now = clock.now()
        await broker.settle([decide(each, Failed("no"), POLICY, now) for each in claims])
        counts = await broker.counts("default")
        assert (counts[State.ARCHIVED], sum(counts.values())) == (1200, 1200)


async def stored(broker: Broker, job_id: str, queue: str = "default") -> Job:
    """The job, which must be there."""
    job = await broker.get(queue, job_id)
    assert job is not None
    return job


async def listening(
    broker: Broker, *queues: str, worker: str = "w1"
) -> "asyncio.Future[Sequence[Cancellation]]":
    """Hears from now on what is cancelled."""
    await broker.cancellations(queues, worker=worker, at_most=0)
    waiting = asyncio.ensure_future(broker.cancellations(queues, worker=worker, at_most=60))
    await asyncio.sleep(0.05)
    return waiting


async def told(waiting: "asyncio.Future[Sequence[Cancellation]]") -> list[Cancellation]:
    async with asyncio.timeout(PATIENCE):
        return list(await waiting)
