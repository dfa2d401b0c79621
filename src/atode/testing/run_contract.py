"""The part of the contract about running jobs, from enqueue to settlement, and upkeep."""

import asyncio
from collections import Counter

import pytest

from atode.broker.protocol import Broker
from atode.job import Claim, Job, State
from atode.outcome import (
    Crashed,
    Failed,
    Outcome,
    Released,
    Snoozed,
    Succeeded,
    decide,
    released,
)
from atode.presence import Presence, Running
from atode.testing.clock import FakeClock
from atode.testing.jobs import ALL, LEASE, POLICY, a_job, end, ids, take, take_next


class RunContract:
    """A part of `BrokerContract`."""

    # enqueue and claim

    async def test_a_stored_job_comes_back_whole(self, broker: Broker) -> None:
        job = Job(
            id="5f0c",
            task="mail:send",
            queue="default",
            payload=b'{"text":"\xe3\x81\x82\xe3\x81\xa8\xe3\x81\xa7"}',
            max_retry=7,
            timeout=90.0,
            deadline=1_900_009_999.0,
            retention=3600.0,
            headers={"a": "1", "b": "二"},
        )

        await broker.enqueue([job])
        [claim] = await take(broker)

        assert claim.job == job._replace(state=State.ACTIVE)
        assert (claim.worker, claim.number, claim.problem) == ("w1", 1, "")

    async def test_a_job_without_limits_comes_back_without_limits(self, broker: Broker) -> None:
        await broker.enqueue([a_job()._replace(timeout=0.0, deadline=0.0)])

        [claim] = await take(broker)

        assert (claim.job.timeout, claim.job.deadline) == (0.0, 0.0)

    async def test_jobs_are_claimed_oldest_first(self, broker: Broker) -> None:
        jobs = [a_job() for _ in range(25)]
        await broker.enqueue(jobs[:10])
        await broker.enqueue(jobs[10:])

        first = await take(broker, limit=7)
        rest = await take(broker)

        assert ids(first) + ids(rest) == ids(jobs)

    async def test_a_claim_takes_no_more_than_its_limit_over_all_queues(
        self, broker: Broker
    ) -> None:
        await broker.enqueue([a_job("a") for _ in range(3)] + [a_job("b") for _ in range(3)])

        claims = await take(broker, "b", "a", limit=4)

        assert [claim.job.queue for claim in claims] == ["b", "b", "b", "a"]

    async def test_nothing_ready_is_an_empty_answer(self, broker: Broker) -> None:
        assert await take(broker, "default", "never-heard-of") == []

    async def test_a_claimed_job_is_not_claimed_again(self, broker: Broker) -> None:
        await broker.enqueue([a_job()])

        assert len(await take(broker)) == 1
        assert await take(broker, worker="w2") == []

    async def test_only_the_asked_queues_are_served(self, broker: Broker) -> None:
        await broker.enqueue([a_job("mail")])

        assert await take(broker, "default") == []
        assert len(await take(broker, "mail")) == 1

    async def test_an_id_that_is_taken_is_refused_and_changes_nothing(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="same", payload=b'"first"')])

        refused = await broker.enqueue([a_job(id="same", payload=b'"second"'), a_job(id="other")])
        claims = await take(broker)

        assert ids(refused) == ["same"]
        assert [claim.job.payload for claim in claims] == [b'"first"', b'{"n":1}']

    async def test_an_id_twice_in_one_call_is_stored_once(self, broker: Broker) -> None:
        refused = await broker.enqueue([a_job(id="same"), a_job(id="same")])

        assert ids(refused) == ["same"]
        assert len(await take(broker)) == 1

    async def test_the_same_id_may_live_in_two_queues(self, broker: Broker) -> None:
        assert await broker.enqueue([a_job("a", id="same"), a_job("b", id="same")]) == []

        assert len(await take(broker, "a", "b")) == 2

    async def test_thousands_of_jobs_go_in_and_out_in_one_call(self, broker: Broker) -> None:
        jobs = [a_job() for _ in range(5000)]

        await broker.enqueue(jobs)
        claims = await take(broker, limit=5000)
        refused = await broker.settle([decide(c, Succeeded(), POLICY, 0.0) for c in claims])

        assert ids(claims) == ids(jobs)
        assert refused == []
        assert sum((await broker.counts("default")).values()) == 0

    async def test_many_claimants_share_the_jobs_without_overlap(self, broker: Broker) -> None:
        jobs = [a_job() for _ in range(300)]
        await broker.enqueue(jobs)

        shares = await asyncio.gather(*(take(broker, limit=7, worker=f"w{n}") for n in range(50)))
        seen = Counter(claim.job.id for share in shares for claim in share)

        assert seen == Counter(ids(jobs))

    async def test_a_megabyte_of_payload_survives(self, broker: Broker) -> None:
        await broker.enqueue([a_job(payload=b"\0\xff" * 524_288)])

        [claim] = await take(broker)

        assert claim.job.payload == b"\0\xff" * 524_288

    # settle

    async def test_success_without_retention_deletes_the_job(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="done")])
        [claim] = await take(broker)

        assert await end(broker, claim, Succeeded(b"1"), clock) == []

        assert await broker.get("default", "done") is None

    async def test_success_with_retention_keeps_the_result_until_its_end(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="kept", retention=60)])
        [claim] = await take(broker)

        await end(broker, claim, Succeeded(b'"fine"'), clock)
        clock.advance(59)
        await broker.prune(["default"])
        job = await broker.get("default", "kept")
        clock.advance(2)
        pruned = await broker.prune(["default"])

        assert job is not None
        assert (job.state, job.result) == (State.COMPLETED, b'"fine"')
        assert job.completed_at == clock.now() - 61
        assert pruned == 1
        assert await broker.get("default", "kept") is None

    async def test_a_failure_waits_for_its_retry_and_then_comes_back(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="fails")])
        [claim] = await take(broker)

        await end(broker, claim, Failed("boom"), clock)
        waiting = await broker.get("default", "fails")
        early = await broker.promote(["default"])
        clock.advance(60)
        await broker.promote(["default"])
        [again] = await take(broker)

        assert waiting is not None
        assert (waiting.state, waiting.retried, waiting.error) == (State.RETRY, 1, "boom")
        assert early == clock.now()
        assert (again.job.id, again.job.retried, again.number) == ("fails", 1, 2)
        assert again.job.error == "boom"
        assert again.job.last_failed_at == clock.now() - 60

    async def test_used_up_retries_archive_the_job_with_its_error(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="dead", max_retry=0)])
        [claim] = await take(broker)

        await end(broker, claim, Failed("boom"), clock)
        clock.advance(1_000_000)
        await broker.promote(["default"])
        job = await broker.get("default", "dead")

        assert job is not None
        assert (job.state, job.error, job.retried) == (State.ARCHIVED, "boom", 0)
        assert await take(broker) == []

    async def test_a_snooze_brings_the_job_back_uncounted(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(max_retry=0)])
        [claim] = await take(broker)

        await end(broker, claim, Snoozed(5), clock)
        clock.advance(5)
        await broker.promote(["default"])
        [again] = await take(broker)

        assert (again.job.retried, again.job.error) == (0, "")

    async def test_a_released_job_is_first_in_line(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(id=name) for name in ("one", "two", "three")])
        [one] = await take(broker, limit=1)

        await end(broker, one, Released(), clock)

        assert ids(await take(broker)) == ["one", "two", "three"]

    async def test_a_claim_beside_an_older_one_of_the_same_worker_still_holds_the_job(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job()])
        [old] = await take(broker)
        clock.advance(LEASE + 1)
        [new] = await broker.reap(["default"], limit=1, lease=LEASE, worker=old.worker)

        assert list(await broker.extend([old, new], lease=LEASE)) == [old]
        ends = [decide(claim, Succeeded(), POLICY, clock.now()) for claim in (old, new)]
        assert list(await broker.settle(ends)) == ends[:1]
        assert await broker.get("default", new.job.id) is None

    async def test_jobs_that_are_released_together_keep_their_order(self, broker: Broker) -> None:
        names = [f"j{n:04}" for n in range(1200)]
        await broker.enqueue([a_job(id=name) for name in names])
        claims: list[Claim] = []
        while len(claims) < 1100:
            claims += await take(broker, limit=1100 - len(claims))

        refused = await broker.settle([released(claim) for claim in claims])

        assert refused == []
        assert [job.id for job in await broker.find("default", State.PENDING, limit=1200)] == names

    async def test_error_texts_of_any_kind_are_stored(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="odd")])
        [claim] = await take(broker)

        await end(broker, claim, Failed("bad \udcff \0 落ちた" + "x" * 100_000, True), clock)
        job = await broker.get("default", "odd")

        assert job is not None
        assert 1000 < len(job.error) <= 8192

    async def test_settlements_of_one_batch_go_their_own_ways(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(retention=60) for _ in range(5)])
        done, fails, dies, snoozes, returns = await take(broker)
        outcomes: list[tuple[Claim, Outcome]] = [
            (done, Succeeded()),
            (fails, Failed("x")),
            (dies, Failed("x", permanent=True)),
            (snoozes, Snoozed(9)),
            (returns, Released()),
        ]

        await broker.settle([decide(c, o, POLICY, clock.now()) for c, o in outcomes])

        assert await broker.counts("default") == {
            State.PENDING: 1,
            State.SCHEDULED: 0,
            State.ACTIVE: 0,
            State.RETRY: 2,
            State.ARCHIVED: 1,
            State.COMPLETED: 1,
            State.AGGREGATING: 0,
        }

    # fencing

    async def test_a_second_settlement_is_refused(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(id="once", retention=60)])
        [claim] = await take(broker)
        await end(broker, claim, Succeeded(b"1"), clock)

        refused = await end(broker, claim, Failed("late"), clock)

        assert ids(refused) == ["once"]
        job = await broker.get("default", "once")
        assert job is not None
        assert (job.state, job.result) == (State.COMPLETED, b"1")

    async def test_the_late_settlement_of_a_reaped_claim_is_refused(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="taken")])
        [late] = await take(broker)
        clock.advance(LEASE + 1)
        [reaped] = await broker.reap(["default"], limit=ALL, lease=LEASE, worker="w2")

        refused = await end(broker, late, Succeeded(), clock)
        accepted = await end(broker, reaped, Crashed(), clock)

        assert (ids(refused), accepted) == (["taken"], [])

    async def test_a_released_and_reclaimed_job_is_safe_from_its_first_holder(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="twice")])
        [first] = await take(broker)
        await end(broker, first, Released(), clock)
        [second] = await take(broker)

        refused = await end(broker, first, Succeeded(), clock)

        assert ids(refused) == ["twice"]
        assert second.number > first.number
        assert await end(broker, second, Succeeded(), clock) == []

    async def test_another_workers_claim_cannot_be_settled_by_its_number(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="mine")])
        [claim] = await take(broker)

        refused = await end(broker, claim._replace(worker="w2"), Succeeded(), clock)

        assert ids(refused) == ["mine"]

    async def test_one_refused_settlement_does_not_hold_up_its_batch(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="stale"), a_job(id="good")])
        stale, good = await take(broker)
        await end(broker, stale, Succeeded(), clock)

        refused = await broker.settle(
            [decide(claim, Succeeded(), POLICY, clock.now()) for claim in (stale, good)]
        )

        assert ids(refused) == ["stale"]
        assert await broker.get("default", "good") is None

    # leases

    async def test_an_extended_lease_keeps_the_reaper_away(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job()])
        claims = await take(broker)

        for _ in range(5):
            clock.advance(LEASE - 2)
            assert await broker.extend(claims, lease=LEASE) == []
            assert await broker.reap(["default"], limit=ALL, lease=LEASE, worker="w2") == []

    async def test_extending_tells_which_claims_are_lost(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id=name) for name in ("held", "settled", "reaped")])
        held, settled, reaped = await take(broker)
        await end(broker, settled, Succeeded(), clock)
        clock.advance(LEASE - 2)
        await broker.extend([held], lease=LEASE)
        clock.advance(3)
        await broker.reap(["default"], limit=ALL, lease=LEASE, worker="w2")

        lost = await broker.extend([held, settled, reaped], lease=LEASE)

        assert ids(lost) == ["settled", "reaped"]

    async def test_an_expired_lease_is_taken_over_with_a_fresh_one(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="orphan")])
        await take(broker)
        assert await broker.reap(["default"], limit=ALL, lease=LEASE, worker="w2") == []
        clock.advance(LEASE + 1)

        [reaped] = await broker.reap(["default"], limit=ALL, lease=LEASE, worker="w2")
        nothing = await broker.reap(["default"], limit=ALL, lease=LEASE, worker="w3")
        clock.advance(LEASE + 1)
        [again] = await broker.reap(["default"], limit=ALL, lease=LEASE, worker="w3")

        assert (reaped.job.id, reaped.worker, reaped.number) == ("orphan", "w2", 2)
        assert nothing == []
        assert (again.worker, again.number) == ("w3", 3)

    async def test_a_crash_uses_up_a_retry_and_runs_again_at_once(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="victim", max_retry=1)])
        await take(broker)
        clock.advance(LEASE + 1)
        [reaped] = await broker.reap(["default"], limit=ALL, lease=LEASE, worker="w2")

        await end(broker, reaped, Crashed(), clock)
        [again] = await take(broker, worker="w2")

        assert (again.job.id, again.job.retried) == ("victim", 1)

    async def test_poison_is_archived_when_its_retries_are_used_up(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="poison", max_retry=2)])

        for _ in range(3):
            assert len(await take(broker)) == 1
            clock.advance(LEASE + 1)
            [reaped] = await broker.reap(["default"], limit=ALL, lease=LEASE, worker="w2")
            await end(broker, reaped, Crashed(), clock)

        job = await broker.get("default", "poison")
        assert job is not None
        assert (job.state, job.retried) == (State.ARCHIVED, 2)
        assert "lease expired" in job.error

    async def test_reaping_takes_no_more_than_its_limit(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job() for _ in range(5)])
        await take(broker)
        clock.advance(LEASE + 1)

        first = await broker.reap(["default"], limit=3, lease=LEASE, worker="w2")
        second = await broker.reap(["default"], limit=3, lease=LEASE, worker="w2")

        assert (len(first), len(second)) == (3, 2)

    # promotion

    async def test_a_delayed_job_is_not_ready_before_its_instant(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        due = clock.now() + 2.345
        await broker.enqueue([a_job(id="later", due=due)])

        clock.advance(2.344)
        next_due = await broker.promote(["default"])
        early = await take(broker)
        clock.advance(0.002)
        await broker.promote(["default"])
        claims = await take(broker)

        assert next_due is not None
        assert next_due == pytest.approx(due, abs=0.0011)
        assert next_due > clock.now() - 0.002
        assert early == []
        assert ids(claims) == ["later"]

    async def test_a_claim_tells_when_its_job_was_due(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        due = clock.now() + 2.345
        await broker.enqueue([a_job(id="delayed", due=due), a_job(id="ready")])

        clock.advance(5)
        await broker.promote(["default"])
        claims = await take(broker)

        found = {claim.job.id: claim.job.due for claim in claims}
        assert found == {"ready": 0, "delayed": pytest.approx(due, abs=0.0011)}

    async def test_a_claim_tells_when_a_retry_was_due(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job()])
        [claim] = await take(broker)
        await end(broker, claim, Failed("no"), clock)
        due = clock.now() + 60

        clock.advance(70)
        await broker.promote(["default"])
        [again] = await take(broker)

        assert again.job.due == pytest.approx(due, abs=0.0011)

    async def test_a_job_that_was_handed_back_is_not_late(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(due=clock.now() + 1)])
        clock.advance(2)
        await broker.promote(["default"])
        [claim] = await take(broker)

        await end(broker, claim, Released(), clock)
        [again] = await take(broker)

        assert again.job.due == 0

    async def test_due_jobs_run_in_the_order_of_their_instants(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        now = clock.now()
        delays = {"c": 3.7, "a": 1.2, "d": 5.0, "b": 3.6}
        await broker.enqueue([a_job(id=name, due=now + s) for name, s in delays.items()])

        clock.advance(6)
        await broker.promote(["default"])

        assert ids(await take(broker)) == ["a", "b", "c", "d"]

    async def test_promotion_tells_the_next_instant(self, broker: Broker, clock: FakeClock) -> None:
        now = clock.now()
        await broker.enqueue([a_job("a", due=now + 100), a_job("b", due=now + 50)])

        both = await broker.promote(["a", "b"])
        only_a = await broker.promote(["a"])
        none = await broker.promote(["c"])

        assert (both, only_a, none) == (now + 50, now + 100, None)

    async def test_thousands_of_due_jobs_are_promoted_without_loss(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        jobs = [a_job(due=clock.now() + 1 + n / 1000) for n in range(3000)]
        await broker.enqueue(jobs)
        clock.advance(10)

        while (again := await broker.promote(["default"])) is not None:
            assert again <= clock.now()

        assert ids(await take(broker, limit=5000)) == ids(jobs)

    async def test_many_promoters_promote_each_job_once(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(due=clock.now() + 1) for _ in range(100)])
        clock.advance(1)

        await asyncio.gather(*(broker.promote(["default"]) for _ in range(10)))

        assert len(await take(broker)) == 100
        assert await take(broker) == []

    # waiting: these run on real time, and fail by running into the test's time limit

    async def test_an_enqueue_ends_a_wait(self, broker: Broker) -> None:
        other = broker.sibling()
        waiting = asyncio.ensure_future(broker.wait(["a", "b"], at_most=60))
        await asyncio.sleep(0.05)

        await other.enqueue([a_job("b")])

        await asyncio.wait_for(waiting, 10)
        assert len(await take(broker, "a", "b")) == 1
        await other.close()

    async def test_an_enqueue_ends_a_wait_for_claims(self, broker: Broker) -> None:
        other = broker.sibling()
        waiting = asyncio.ensure_future(take_next(broker, "default", limit=2))
        await asyncio.sleep(0.05)

        await other.enqueue([a_job(id=f"j{n}") for n in range(3)])

        claims = [*await asyncio.wait_for(waiting, 10)]
        assert len(claims) <= 2
        claims += await take(broker)
        assert [claim.job.id for claim in claims] == ["j0", "j1", "j2"]
        assert {claim.worker for claim in claims} == {"w1"}
        await other.close()

    async def test_claims_that_came_with_a_wait_can_be_settled(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        for queues in (["a"], ["a", "b"]):
            await broker.enqueue([a_job("a")])

            claims = await asyncio.wait_for(take_next(broker, *queues), 10)

            [claim] = claims or await take(broker, "a")
            assert await end(broker, claim, Succeeded(), clock) == []
        assert sum((await broker.counts("a")).values()) == 0

    async def test_a_cancelled_wait_for_claims_takes_nothing(self, broker: Broker) -> None:
        for n in range(10):
            waiting = asyncio.ensure_future(take_next(broker, "default"))
            await asyncio.sleep(0.005 * (n % 2))
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

        await broker.enqueue([a_job()])

        # One that was cancelled last may have it still, and gives it back.
        claims: list[Claim] = []
        async with asyncio.timeout(10):
            while not claims:
                claims = await take_next(broker, "default") or await take(broker)
        assert len(claims) == 1

    async def test_a_wait_returns_at_once_when_work_is_there(self, broker: Broker) -> None:
        await broker.enqueue([a_job()])

        await asyncio.wait_for(broker.wait(["default"], at_most=60), 10)

    async def test_a_wait_does_not_reorder_the_queue(self, broker: Broker) -> None:
        jobs = [a_job() for _ in range(3)]
        await broker.enqueue(jobs)

        for _ in range(4):
            await asyncio.wait_for(broker.wait(["default"], at_most=60), 10)

        assert ids(await take(broker)) == ids(jobs)

    async def test_a_promotion_ends_a_wait(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(due=clock.now() + 1)])
        waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
        await asyncio.sleep(0.05)

        clock.advance(1)
        await broker.promote(["default"])

        await asyncio.wait_for(waiting, 10)

    async def test_a_release_ends_a_wait(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job()])
        [claim] = await take(broker)
        waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
        await asyncio.sleep(0.05)

        await end(broker, claim, Released(), clock)

        await asyncio.wait_for(waiting, 10)

    async def test_an_earlier_job_ends_the_wait_for_the_next_due_instant(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        other = broker.sibling()
        until = clock.now() + 1000
        waiting = asyncio.ensure_future(broker.wait_due(["default"], until=until))
        await asyncio.sleep(0.05)

        await other.enqueue([a_job(due=clock.now() + 0.5)])

        await asyncio.wait_for(waiting, 10)
        await other.close()

    async def test_an_earlier_retry_ends_the_wait_for_the_next_due_instant(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job()])
        [claim] = await take(broker)
        until = clock.now() + 1000
        waiting = asyncio.ensure_future(broker.wait_due(["default"], until=until))
        await asyncio.sleep(0.05)

        await end(broker, claim, Snoozed(0.5), clock)

        await asyncio.wait_for(waiting, 10)

    async def test_a_wait_can_be_cancelled(self, broker: Broker) -> None:
        for coroutine in (
            broker.wait(["default"], at_most=60),
            broker.wait_due(["default"], until=None),
        ):
            waiting = asyncio.ensure_future(coroutine)
            await asyncio.sleep(0.05)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

        await broker.enqueue([a_job()])
        assert len(await take(broker)) == 1

    # presence and inspection

    async def test_a_living_worker_is_seen_and_a_silent_one_is_forgotten(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        running = Running("j1", "demo", "default", b"{}", clock.now(), clock.now() + 30)
        presence = Presence(
            worker="host:1:aaaa",
            host="host",
            pid=1,
            concurrency=10,
            queues={"default": 2, "low": 1},
            strict=True,
            status="active",
            started_at=clock.now(),
            running=(running,),
            running_count=1,
        )

        await broker.beat(presence, lifetime=10)
        alive = await broker.workers()
        clock.advance(11)
        forgotten = await broker.workers()

        assert list(alive) == [presence]
        assert list(forgotten) == []

    async def test_a_leaving_worker_is_gone_at_once(self, broker: Broker, clock: FakeClock) -> None:
        presence = Presence("h:1:b", "h", 1, 1, {"default": 1}, False, "active", clock.now())
        await broker.beat(presence, lifetime=10)

        await broker.leave(presence)

        assert list(await broker.workers()) == []

    async def test_looking_for_an_unknown_job_finds_nothing(self, broker: Broker) -> None:
        assert await broker.get("default", "no-such-job") is None

    async def test_a_scheduled_job_shows_its_instant(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        due = clock.now() + 12.5
        await broker.enqueue([a_job(id="seen", due=due)])

        job = await broker.get("default", "seen")

        assert job is not None
        assert (job.state, job.due) == (State.SCHEDULED, due)

    # pruning

    async def test_the_archive_forgets_jobs_after_ninety_days(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="old", max_retry=0)])
        [claim] = await take(broker)
        await end(broker, claim, Failed("x"), clock)

        clock.advance(89 * 86_400)
        kept = await broker.prune(["default"])
        clock.advance(2 * 86_400)
        gone = await broker.prune(["default"])

        assert (kept, gone) == (0, 1)
        assert await broker.get("default", "old") is None

    async def test_opening_and_closing_twice_is_harmless(self, broker: Broker) -> None:
        await broker.open()
        await broker.open()
        await broker.enqueue([a_job()])
        await broker.close()
        await broker.close()
