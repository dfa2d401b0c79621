"""The part of the contract about unique jobs and what operators do."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from atode.broker.protocol import Broker, Refused
from atode.job import State
from atode.outcome import Failed, Succeeded
from atode.statistics import Day
from atode.testing.clock import FakeClock
from atode.testing.jobs import a_job, end, ids, take


class OperationContract:
    """A part of `BrokerContract`."""

    # unique jobs

    async def test_a_second_job_that_does_the_same_is_refused(self, broker: Broker) -> None:
        first = a_job(id="first", unique_for=60)
        second = a_job(id="second", unique_for=60)
        await broker.enqueue([first])

        refused = await broker.enqueue([second, a_job(id="other", payload=b"2", unique_for=60)])

        assert refused == [Refused(second, "first")]
        assert ids(await take(broker)) == ["first", "other"]

    async def test_two_that_do_the_same_in_one_call_are_stored_once(self, broker: Broker) -> None:
        twins = [a_job(id="one", unique_for=60), a_job(id="two", unique_for=60)]

        refused = await broker.enqueue(twins)

        assert refused == [Refused(twins[1], "one")]

    async def test_one_whose_id_is_taken_is_not_in_the_way_of_the_next_in_its_call(
        self, broker: Broker
    ) -> None:
        await broker.enqueue([a_job(id="taken", payload=b"other")])
        jobs = [a_job(id=name, unique_for=60) for name in ("taken", "second", "third")]

        refused = await broker.enqueue([*jobs, a_job(id="last")])

        assert refused == [Refused(jobs[0], "taken"), Refused(jobs[2], "second")]
        assert ids(await take(broker)) == ["taken", "second", "last"]

    async def test_who_has_its_id_is_more_in_its_way_than_who_has_its_lock(
        self, broker: Broker
    ) -> None:
        await broker.enqueue([a_job(id="locks", unique_for=60), a_job(id="here", payload=b"2")])

        refused = await broker.enqueue([a_job(id="here", unique_for=60)])

        assert [refusal.holder for refusal in refused] == ["here"]

    async def test_a_unique_job_shows_what_it_has_locked(self, broker: Broker) -> None:
        job = a_job(unique_for=60)
        await broker.enqueue([job])

        [claim] = await take(broker)

        assert claim.job.unique == job.unique

    async def test_queues_lock_for_themselves(self, broker: Broker) -> None:
        jobs = [a_job("a", unique_for=60), a_job("b", unique_for=60)]

        assert list(await broker.enqueue(jobs)) == []

    async def test_a_job_that_is_not_unique_is_never_in_the_way(self, broker: Broker) -> None:
        await broker.enqueue([a_job(unique_for=60)])

        assert list(await broker.enqueue([a_job(), a_job()])) == []

    async def test_success_unlocks(self, broker: Broker, clock: FakeClock) -> None:
        for retention in (0, 60):
            await broker.enqueue([a_job(retention=retention, unique_for=60)])
            [claim] = await take(broker)
            await end(broker, claim, Succeeded(), clock)

        assert list(await broker.enqueue([a_job(unique_for=60)])) == []

    async def test_a_retry_and_the_archive_keep_the_lock(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="holder", max_retry=1, unique_for=3600)])
        [claim] = await take(broker)
        await end(broker, claim, Failed("x"), clock)
        in_retry = await broker.enqueue([a_job(unique_for=60)])
        clock.advance(60)
        await broker.promote(["default"])
        [claim] = await take(broker)
        await end(broker, claim, Failed("x"), clock)
        in_archive = await broker.enqueue([a_job(unique_for=60)])

        assert [refusal.holder for refusal in (*in_retry, *in_archive)] == ["holder", "holder"]

    async def test_a_lock_ends_with_its_time(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(unique_for=1)])
        clock.advance(2)

        # Some stores measure this by their own clock, so real time passes, too.
        limit = time.monotonic() + 20
        while await broker.enqueue([a_job(unique_for=1)]):
            assert time.monotonic() < limit
            await asyncio.sleep(0.05)

    async def test_the_lock_of_a_delayed_job_outlasts_its_delay(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="late", due=clock.now() + 100, unique_for=50)])
        clock.advance(120)

        assert [r.holder for r in await broker.enqueue([a_job(unique_for=1)])] == ["late"]

    async def test_a_taken_id_leaves_no_lock_behind(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="taken", payload=b"1")])

        refused = await broker.enqueue([a_job(id="taken", payload=b"2", unique_for=60)])

        assert [refusal.holder for refusal in refused] == ["taken"]
        assert list(await broker.enqueue([a_job(payload=b"2", unique_for=60)])) == []

    async def test_a_successor_keeps_its_own_lock(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(id="old", unique_for=60)])
        [old] = await take(broker)
        await broker.delete("default", ["old"])  # It is active: nothing happens.
        assert [r.holder for r in await broker.enqueue([a_job(unique_for=60)])] == ["old"]

        await end(broker, old, Succeeded(), clock)
        await broker.enqueue([a_job(id="new", unique_for=60)])
        await end(broker, old, Succeeded(), clock)

        assert [r.holder for r in await broker.enqueue([a_job(unique_for=60)])] == ["new"]

    # looking

    async def test_queues_are_known_from_their_first_job(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        assert list(await broker.queues()) == []
        await broker.enqueue([a_job("mail"), a_job("default")])
        for claim in await take(broker, "mail"):
            await end(broker, claim, Succeeded(), clock)

        assert list(await broker.queues()) == ["default", "mail"]
        assert await broker.stats("never-heard-of") is None

    async def test_stats_tell_how_a_queue_stands(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(max_retry=0) for _ in range(4)])
        one, two, _ = await take(broker, limit=3)
        await end(broker, one, Succeeded(), clock)
        await end(broker, two, Failed("x"), clock)
        waiting_since = clock.now()
        clock.advance(5)

        stats = await broker.stats("default")

        assert stats is not None
        assert (stats.queue, stats.paused, stats.size) == ("default", False, 3)
        assert stats.counts[State.PENDING] == 1
        assert stats.counts[State.ACTIVE] == 1
        assert stats.counts[State.ARCHIVED] == 1
        assert (stats.processed, stats.failed) == (2, 1)
        assert stats.waiting_since == pytest.approx(waiting_since, abs=0.001)

    async def test_history_goes_back_by_days(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(max_retry=0) for _ in range(3)])
        one, two, three = await take(broker)
        await end(broker, one, Succeeded(), clock)
        await end(broker, two, Failed("x"), clock)
        clock.advance(86_400)
        await end(broker, three, Succeeded(), clock)

        today = datetime.fromtimestamp(clock.now(), UTC).date()
        assert list(await broker.history("default", 3)) == [
            Day(today, 1, 0),
            Day(today - timedelta(days=1), 2, 1),
            Day(today - timedelta(days=2), 0, 0),
        ]

    async def test_pending_jobs_are_listed_as_they_will_run(self, broker: Broker) -> None:
        jobs = [a_job() for _ in range(7)]
        await broker.enqueue(jobs)

        first = await broker.find("default", State.PENDING, limit=5)
        rest = await broker.find("default", State.PENDING, offset=5, limit=5)
        beyond = await broker.find("default", State.PENDING, offset=10, limit=5)

        assert ids(first) + ids(rest) == ids(jobs)
        assert list(beyond) == []
        assert first[0] == jobs[0]

    async def test_delayed_jobs_are_listed_by_their_instants(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        now = clock.now()
        await broker.enqueue([a_job(id=str(s), due=now + s) for s in (30, 10, 20)])

        found = await broker.find("default", State.SCHEDULED)

        assert [(job.id, job.due - now) for job in found] == [("10", 10), ("20", 20), ("30", 30)]

    async def test_every_state_can_be_listed(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(id=name, retention=60) for name in ("c", "r", "x", "a")])
        completed, retry, archived, _ = await take(broker)
        await end(broker, completed, Succeeded(b"7"), clock)
        await end(broker, retry, Failed("again"), clock)
        await end(broker, archived, Failed("no", permanent=True), clock)

        found = {state: await broker.find("default", state) for state in State}

        assert {state: ids(jobs) for state, jobs in found.items()} == {
            State.PENDING: [],
            State.SCHEDULED: [],
            State.ACTIVE: ["a"],
            State.RETRY: ["r"],
            State.ARCHIVED: ["x"],
            State.COMPLETED: ["c"],
            State.AGGREGATING: [],
        }
        assert found[State.COMPLETED][0].result == b"7"
        assert found[State.RETRY][0].error == "again"

    # doing

    async def test_jobs_are_run_now_by_hand(self, broker: Broker, clock: FakeClock) -> None:
        later = clock.now() + 1000
        await broker.enqueue([a_job(id="s1", due=later), a_job(id="s2", due=later), a_job(id="p")])

        number = await broker.run("default", ["s1", "p", "never-heard-of", "s1"])

        assert number == 1
        assert ids(await take(broker)) == ["p", "s1"]
        assert await broker.run("default", State.SCHEDULED) == 1
        assert ids(await take(broker)) == ["s2"]

    async def test_a_job_that_is_run_by_hand_is_neither_early_nor_late(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(due=clock.now() + 60)])

        await broker.run("default", State.SCHEDULED)
        [claim] = await take(broker)

        assert claim.job.due == 0

    async def test_an_archived_job_that_is_run_by_hand_gets_one_attempt(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="dead", max_retry=0)])
        [claim] = await take(broker)
        await end(broker, claim, Failed("x"), clock)

        assert await broker.run("default", State.ARCHIVED) == 1
        [again] = await take(broker)
        await end(broker, again, Failed("y"), clock)

        job = await broker.get("default", "dead")
        assert job is not None
        assert (job.state, job.error) == (State.ARCHIVED, "y")

    async def test_running_by_hand_ends_a_wait(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(id="s", due=clock.now() + 1000)])
        waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
        await asyncio.sleep(0.05)

        await broker.run("default", ["s"])

        await asyncio.wait_for(waiting, 10)

    async def test_jobs_are_archived_by_hand(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(id="p1"), a_job(id="s", due=clock.now() + 9), a_job(id="p2")])
        [active] = await take(broker, limit=1)

        assert await broker.archive("default", [active.job.id, "s"]) == 1
        assert await broker.archive("default", State.PENDING) == 1
        await broker.prune(["default"])

        assert ids(await broker.find("default", State.ARCHIVED)) in (["s", "p2"], ["p2", "s"])
        assert await take(broker) == []

    async def test_jobs_are_deleted_by_hand_and_their_locks_with_them(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="u", unique_for=60), a_job(id="a"), a_job(id="b")])

        assert await broker.delete("default", ["u", "never-heard-of"]) == 1
        assert list(await broker.enqueue([a_job(id="again", unique_for=60)])) == []
        assert await broker.delete("default", State.PENDING) == 3

        assert await take(broker) == []
        assert await broker.get("default", "a") is None
        assert list(await broker.enqueue([a_job(id="a", unique_for=60)])) == []

    async def test_an_active_job_is_out_of_an_operators_reach(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="mine")])
        [claim] = await take(broker)

        done = [
            await operation("default", which)
            for operation in (broker.run, broker.archive, broker.delete)
            for which in (["mine"], State.ACTIVE)
        ]

        assert done == [0] * 6
        assert await end(broker, claim, Succeeded(), clock) == []

    async def test_the_payload_of_a_scheduled_job_can_be_replaced(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="s", due=clock.now() + 9), a_job(id="p")])

        assert await broker.replace_payload("default", "s", b"new")
        assert not await broker.replace_payload("default", "p", b"new")
        assert not await broker.replace_payload("default", "never-heard-of", b"new")

        job = await broker.get("default", "s")
        assert job is not None
        assert (job.payload, job.due) == (b"new", clock.now() + 9)

    async def test_nothing_is_claimed_from_a_paused_queue(self, broker: Broker) -> None:
        await broker.enqueue([a_job("a", id="a"), a_job("b", id="b")])

        assert await broker.pause("a")
        assert not await broker.pause("a")
        paused = await broker.stats("a")
        claims = await take(broker, "a", "b")
        assert await broker.resume("a")
        assert not await broker.resume("a")

        assert paused is not None
        assert paused.paused
        assert ids(claims) == ["b"]
        assert ids(await take(broker, "a", "b")) == ["a"]

    async def test_a_wait_sleeps_through_what_is_paused_until_it_goes_on(
        self, broker: Broker
    ) -> None:
        await broker.enqueue([a_job()])
        await broker.pause("default")
        waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
        await asyncio.sleep(0.2)
        assert not waiting.done()

        await broker.resume("default")

        await asyncio.wait_for(waiting, 10)

    async def test_a_queue_is_removed_when_it_is_empty(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="j")])

        assert not await broker.remove("default")
        assert await broker.delete("default", ["j"]) == 1
        assert await broker.remove("default")

        assert list(await broker.queues()) == []

    async def test_a_removal_that_is_refused_has_no_effect_even_if_it_is_interrupted(
        self, broker: Broker
    ) -> None:
        await broker.enqueue([a_job()])

        for turns in range(12):
            removing = asyncio.ensure_future(broker.remove("default"))
            for _ in range(turns):
                await asyncio.sleep(0.0002)
            removing.cancel()
            await asyncio.gather(removing, return_exceptions=True)

        stats = await broker.stats("default")
        assert stats
        assert (stats.paused, stats.size) == (False, 1)

    async def test_a_queue_with_jobs_is_removed_by_force_unless_some_run(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="active", unique_for=60), a_job(due=clock.now() + 9)])
        [claim] = await take(broker)

        assert not await broker.remove("default", force=True)
        await end(broker, claim, Failed("x"), clock)
        assert await broker.remove("default", force=True)

        assert list(await broker.queues()) == []
        assert await broker.get("default", "active") is None
        # Nothing of it is left, neither ids nor locks.
        assert list(await broker.enqueue([a_job(id="active", unique_for=60)])) == []
