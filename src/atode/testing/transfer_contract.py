"""The part of the contract about moving queues from one store to another."""

import pytest

from atode.broker.protocol import Broker
from atode.errors import BrokerRefused
from atode.job import Job, State, fingerprint
from atode.outcome import Failed, Succeeded
from atode.testing.clock import FakeClock
from atode.testing.jobs import a_job, end, ids, take
from atode.transfer import Arrival, Departure, Moved, Stamp, id_taken

QUEUE = "default"
FIRST = Stamp("mover", 1)
SECOND = Stamp("mover", 2)


class TransferContract:
    """A part of `BrokerContract`."""

    # giving

    async def test_who_starts_to_give_pauses_the_queue(self, broker: Broker) -> None:
        await broker.enqueue([a_job()])

        assert await broker.start_giving(QUEUE, mover="mover") == Departure(None, False)

        assert await take(broker) == []

    async def test_it_is_known_who_paused_a_queue(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job()])
        await broker.start_giving(QUEUE, mover="mover")
        clock.advance(5)
        by_a_mover_that_died = await broker.start_giving(QUEUE, mover="next")
        await broker.finish_moving(QUEUE, mover="next")
        clock.advance(5)
        by_one_that_ended = await broker.start_giving(QUEUE, mover="last")
        clock.advance(5)
        assert await broker.resume(QUEUE)
        await broker.pause(QUEUE)
        clock.advance(5)
        by_somebody = await broker.start_giving(QUEUE, mover="later")

        assert not by_a_mover_that_died.was_paused
        assert not by_one_that_ended.was_paused
        assert by_somebody.was_paused

    async def test_jobs_are_given_in_their_order_and_stay(self, broker: Broker) -> None:
        jobs = [a_job() for _ in range(3)]
        await broker.enqueue(jobs)

        given = await _given(broker, State.PENDING)

        assert ids(given) == ids(jobs)
        assert ids(await broker.find(QUEUE, State.PENDING)) == ids(jobs)

    async def test_jobs_are_given_page_by_page(self, broker: Broker) -> None:
        jobs = [a_job() for _ in range(5)]
        await broker.enqueue(jobs)
        await broker.start_giving(QUEUE, mover="mover")

        pages = [
            await broker.give(QUEUE, State.PENDING, mover="mover", offset=start, limit=2)
            for start in (0, 2, 4, 6)
        ]

        assert [[moved.job.id for moved in page] for page in pages] == [
            ids(jobs[:2]),
            ids(jobs[2:4]),
            ids(jobs[4:]),
            [],
        ]

    async def test_a_pending_job_tells_since_when_it_waits(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        since = clock.now()
        await broker.enqueue([a_job()])
        clock.advance(5)

        [moved] = await _moved(broker, State.PENDING)

        assert moved.since == since
        assert moved.problem == ""

    async def test_a_scheduled_job_tells_its_instant(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(due=clock.now() + 60.25)])

        [job] = await _given(broker, State.SCHEDULED)

        assert job.due == clock.now() + 60.25

    async def test_a_failed_job_tells_of_its_failure(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job()])
        [claim] = await take(broker)
        await end(broker, claim, Failed("boom"), clock)

        [job] = await _given(broker, State.RETRY)

        assert (job.error, job.retried, job.last_failed_at) == ("boom", 1, clock.now())
        assert job.due == clock.now() + 60

    async def test_a_completed_job_has_its_result(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(retention=600)])
        [claim] = await take(broker)
        await end(broker, claim, Succeeded(b'"done"'), clock)

        [job] = await _given(broker, State.COMPLETED)

        assert (job.result, job.completed_at, job.retention) == (b'"done"', clock.now(), 600)

    async def test_an_archived_job_tells_when_it_was_archived(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(max_retry=0)])
        [claim] = await take(broker)
        clock.advance(3)
        await end(broker, claim, Failed("boom"), clock)
        clock.advance(5)

        [moved] = await _moved(broker, State.ARCHIVED)

        assert moved.since == clock.now() - 5
        assert moved.job.error == "boom"

    async def test_a_unique_job_tells_how_long_it_keeps_others_out(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="locks", unique_for=3600), a_job(id="does-not")])

        locks, does_not = await _moved(broker, State.PENDING)

        assert 3590 < locks.lock_left <= 3600
        assert locks.job.unique == fingerprint("demo", locks.job.payload)
        assert does_not.lock_left == 0

    async def test_a_queue_that_goes_on_gives_nothing(self, broker: Broker) -> None:
        await broker.enqueue([a_job()])
        await broker.start_giving(QUEUE, mover="mover")
        await broker.resume(QUEUE)

        with pytest.raises(BrokerRefused, match="'default' was resumed while it is being moved"):
            await broker.give(QUEUE, State.PENDING, mover="mover")

    async def test_large_jobs_travel_in_small_numbers(self, broker: Broker) -> None:
        jobs = [a_job(payload=b'"%s"' % (b"x" * 600_000)) for _ in range(4)]
        for job in jobs:
            await broker.enqueue([job])
        await broker.start_giving(QUEUE, mover="mover")
        found: list[Job] = []
        while len(found) < 4:
            page = await broker.give(QUEUE, State.PENDING, mover="mover", offset=len(found))
            assert page
            found += [moved.job for moved in page]

        assert ids(found) == ids(jobs)

    # what was given

    async def test_given_jobs_are_gone_with_their_locks(self, broker: Broker) -> None:
        jobs = [a_job(unique_for=60), a_job(payload=b"2"), a_job(payload=b"3")]
        await broker.enqueue(jobs)
        await broker.start_giving(QUEUE, mover="mover")

        here = await broker.given(QUEUE, ids(jobs[:2]), stamp=FIRST)

        assert list(here) == []
        assert ids(await broker.find(QUEUE, State.PENDING)) == ids(jobs[2:])
        assert list(await broker.enqueue([a_job(unique_for=60)])) == []

    async def test_jobs_of_every_state_can_be_given(self, broker: Broker, clock: FakeClock) -> None:
        jobs = await _one_in_each_state(broker, clock)
        await broker.start_giving(QUEUE, mover="mover")

        await broker.given(QUEUE, list(jobs.values()), stamp=FIRST)

        assert not any((await broker.counts(QUEUE)).values())

    async def test_many_jobs_are_given_at_once(self, broker: Broker) -> None:
        jobs = [a_job() for _ in range(500)]
        await broker.enqueue(jobs)
        await broker.start_giving(QUEUE, mover="mover")

        await broker.given(QUEUE, ids(jobs[:499]), stamp=FIRST)

        assert ids(await broker.find(QUEUE, State.PENDING)) == ids(jobs[499:])

    async def test_a_job_that_a_worker_has_is_not_given(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="runs")])
        await take(broker)
        await broker.start_giving(QUEUE, mover="mover")

        assert list(await broker.given(QUEUE, ["runs"], stamp=FIRST)) == ["runs"]
        assert (await broker.counts(QUEUE))[State.ACTIVE] == 1

    async def test_the_next_mover_hears_what_was_given_last(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="one")])
        await broker.start_giving(QUEUE, mover="mover")
        await broker.given(QUEUE, ["one"], stamp=FIRST)

        assert await broker.start_giving(QUEUE, mover="next") == Departure(FIRST, False)

    async def test_what_is_given_twice_under_one_stamp_is_given_once(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="one")])
        await broker.start_giving(QUEUE, mover="mover")
        await broker.given(QUEUE, ["one"], stamp=FIRST)
        await broker.enqueue([a_job(id="one")])  # another one, of the same name

        await broker.given(QUEUE, ["one"], stamp=FIRST)

        assert await broker.get(QUEUE, "one") is not None

    async def test_an_earlier_mover_can_do_nothing_any_more(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="one")])
        for mover in ("mover", "next"):
            await broker.start_giving(QUEUE, mover=mover)
        words = "another process has begun to move queue 'default'"

        with pytest.raises(BrokerRefused, match=words):
            await broker.give(QUEUE, State.PENDING, mover="mover")
        with pytest.raises(BrokerRefused, match=words):
            await broker.given(QUEUE, ["one"], stamp=FIRST)

        await broker.finish_moving(QUEUE, mover="mover")
        assert ids(await _given(broker, State.PENDING, mover="next", start=False)) == ["one"]

    # receiving

    async def test_a_pending_job_runs_behind_those_that_are_here(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="here")])

        await _receive(broker, [Moved(a_job(id="one"), since=clock.now()), Moved(a_job(id="two"))])

        claims = await take(broker)
        assert ids(claims) == ["here", "one", "two"]
        assert claims[1].job.payload == b'{"n":1}'
        assert claims[1].job.headers == {"trace": "abc"}

    async def test_it_has_waited_since_it_was_stored_in_the_old_store(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await _receive(broker, [Moved(a_job(), since=clock.now() - 500)])

        stats = await broker.stats(QUEUE)
        assert stats is not None
        assert stats.waiting_since == clock.now() - 500

    async def test_a_waiting_job_is_promoted_at_its_instant(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        later = [
            a_job(id="scheduled", due=clock.now() + 10.5),
            a_job(id="retry", due=clock.now() + 11.25)._replace(state=State.RETRY, retried=2),
        ]
        await _receive(broker, [Moved(job) for job in later])

        clock.advance(10)
        assert await broker.promote([QUEUE]) == clock.now() + 0.5
        clock.advance(2)
        await broker.promote([QUEUE])

        claims = await take(broker)
        assert [(claim.job.id, claim.job.retried) for claim in claims] == [
            ("scheduled", 0),
            ("retry", 2),
        ]

    async def test_an_ended_job_is_kept_with_all_that_it_had(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        done = a_job(id="done", retention=600)._replace(
            state=State.COMPLETED, completed_at=clock.now() - 60, result=b'"it"'
        )
        dead = a_job(id="dead")._replace(
            state=State.ARCHIVED, error="boom", retried=3, last_failed_at=clock.now() - 90
        )
        await _receive(broker, [Moved(done), Moved(dead, since=clock.now() - 90)])

        assert await broker.get(QUEUE, "done") == done
        assert await broker.get(QUEUE, "dead") == dead
        clock.advance(541)
        assert await broker.prune([QUEUE]) == 1
        clock.advance(90 * 86_400 - 700)
        assert await broker.prune([QUEUE]) == 0
        clock.advance(100)
        assert await broker.prune([QUEUE]) == 1

    async def test_the_lock_of_a_unique_job_comes_with_it(self, broker: Broker) -> None:
        job = a_job(id="locks", unique_for=60)._replace(unique_for=0.0)

        arrival = await _receive(broker, [Moved(job, lock_left=600)])

        assert list(arrival.unlocked) == []
        [refused] = await broker.enqueue([a_job(unique_for=60)])
        assert refused.holder == "locks"

    async def test_a_job_comes_without_the_lock_that_another_job_has(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="here", unique_for=3600)])
        job = a_job(id="comes", unique_for=60)._replace(unique_for=0.0)

        arrival = await _receive(broker, [Moved(job, lock_left=600)])

        assert list(arrival.unlocked) == ["comes"]
        claims = await take(broker)
        assert ids(claims) == ["here", "comes"]
        await end(broker, claims[1], Succeeded(), clock)
        assert [each.holder for each in await broker.enqueue([a_job(unique_for=60)])] == ["here"]

    async def test_a_job_whose_id_is_taken_is_refused(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="taken", payload=b'"here"')])

        arrival = await _receive(broker, [Moved(a_job(id="taken")), Moved(a_job(id="new"))])

        assert list(arrival.refused) == [id_taken("taken")]
        assert [claim.job.payload for claim in await take(broker)] == [b'"here"', b'{"n":1}']

    async def test_what_was_received_before_has_no_effect_even_if_it_was_run_since(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        jobs = [Moved(a_job(id="ran", unique_for=60), lock_left=60), Moved(a_job(id="waits"))]
        await _receive(broker, jobs)
        [claim] = await take(broker, limit=1)
        await end(broker, claim, Succeeded(), clock)

        again = await broker.receive(QUEUE, jobs, stamp=FIRST)
        await broker.start_receiving(QUEUE, mover="next", given=None, paused=False)
        by_the_next = await broker.receive(QUEUE, jobs, stamp=Stamp("next", 1))

        assert list(again.refused) == list(by_the_next.refused) == []
        assert ids(await take(broker)) == ["waits"]

    async def test_what_is_gone_from_the_old_store_may_come_anew(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await _receive(broker, [Moved(a_job(id="same"))])
        [claim] = await take(broker)
        await end(broker, claim, Succeeded(), clock)

        # The mover's next transport says that the first one is gone.
        await broker.receive(QUEUE, [Moved(a_job(id="same"))], stamp=SECOND)

        assert ids(await take(broker)) == ["same"]

    async def test_the_next_mover_says_what_is_gone(self, broker: Broker, clock: FakeClock) -> None:
        await _receive(broker, [Moved(a_job(id="same"))])
        [claim] = await take(broker)
        await end(broker, claim, Succeeded(), clock)

        await broker.start_receiving(QUEUE, mover="next", given=FIRST, paused=False)
        await broker.receive(QUEUE, [Moved(a_job(id="same"))], stamp=Stamp("next", 1))

        assert ids(await take(broker)) == ["same"]

    async def test_what_was_refused_is_refused_again(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="taken")])
        jobs = [Moved(a_job(id="taken"))]

        answers = [await _receive(broker, jobs), await broker.receive(QUEUE, jobs, stamp=SECOND)]

        assert [list(arrival.refused) for arrival in answers] == [[id_taken("taken")]] * 2

    async def test_an_earlier_mover_can_bring_nothing_any_more(self, broker: Broker) -> None:
        for mover in ("mover", "next"):
            await broker.start_receiving(QUEUE, mover=mover, given=None, paused=False)

        with pytest.raises(BrokerRefused, match="another process has begun to move"):
            await broker.receive(QUEUE, [Moved(a_job())], stamp=FIRST)

        assert await take(broker) == []

    async def test_nor_can_one_whose_move_has_ended(self, broker: Broker) -> None:
        await _receive(broker, [])
        await broker.finish_moving(QUEUE, mover="mover")

        with pytest.raises(BrokerRefused, match="another process has begun to move"):
            await broker.receive(QUEUE, [Moved(a_job())], stamp=FIRST)

    async def test_a_queue_that_was_held_back_is_held_back_here_too(self, broker: Broker) -> None:
        await broker.start_receiving(QUEUE, mover="mover", given=None, paused=True)
        await broker.receive(QUEUE, [Moved(a_job())], stamp=FIRST)

        assert await take(broker) == []
        assert await broker.resume(QUEUE)

    async def test_a_move_that_goes_on_does_not_pause_again(self, broker: Broker) -> None:
        # The old store is paused by the move itself by then.
        await broker.start_receiving(QUEUE, mover="mover", given=None, paused=False)
        await broker.start_receiving(QUEUE, mover="next", given=None, paused=True)
        await broker.receive(QUEUE, [Moved(a_job(id="one"))], stamp=Stamp("next", 1))

        assert ids(await take(broker)) == ["one"]

    async def test_what_was_received_can_be_given_back_and_received_anew(
        self, broker: Broker
    ) -> None:
        job = Moved(a_job(id="there-and-back"))
        await _receive(broker, [job])
        await broker.start_giving(QUEUE, mover="back")
        await broker.given(QUEUE, ["there-and-back"], stamp=Stamp("back", 1))
        await broker.resume(QUEUE)

        await broker.start_receiving(QUEUE, mover="again", given=None, paused=False)
        await broker.receive(QUEUE, [job], stamp=Stamp("again", 1))

        assert ids(await take(broker)) == ["there-and-back"]

    async def test_a_removed_queue_has_forgotten_its_move(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await _receive(broker, [Moved(a_job(id="one"))])
        [claim] = await take(broker)
        await end(broker, claim, Succeeded(), clock)

        assert await broker.remove(QUEUE)

        await _receive(broker, [Moved(a_job(id="one"))], mover="later")
        assert ids(await take(broker)) == ["one"]

    async def test_jobs_survive_the_way_through_the_same_kind_of_store(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        jobs = await _one_in_each_state(broker, clock)
        before = [await broker.get(QUEUE, job_id) for job_id in jobs.values()]
        await broker.start_giving(QUEUE, mover="mover")
        given = [
            moved for state in jobs for moved in await broker.give(QUEUE, state, mover="mover")
        ]
        await broker.given(QUEUE, list(jobs.values()), stamp=FIRST)

        await broker.receive(QUEUE, given, stamp=SECOND)

        assert [await broker.get(QUEUE, job_id) for job_id in jobs.values()] == before
        assert await broker.resume(QUEUE)


async def _given(
    broker: Broker, state: State, *, mover: str = "mover", start: bool = True
) -> list[Job]:
    return [moved.job for moved in await _moved(broker, state, mover=mover, start=start)]


async def _moved(
    broker: Broker, state: State, *, mover: str = "mover", start: bool = True
) -> list[Moved]:
    if start:
        await broker.start_giving(QUEUE, mover=mover)
    return list(await broker.give(QUEUE, state, mover=mover))


async def _receive(broker: Broker, jobs: list[Moved], *, mover: str = "mover") -> Arrival:
    await broker.start_receiving(QUEUE, mover=mover, given=None, paused=False)
    return await broker.receive(QUEUE, jobs, stamp=Stamp(mover, 1))


async def _one_in_each_state(broker: Broker, clock: FakeClock) -> dict[State, str]:
    """Ids of stored jobs, by state."""
    await broker.enqueue(
        [a_job(id="fails"), a_job(id="dies", max_retry=0), a_job(id="succeeds", retention=600)]
    )
    fails, dies, succeeds = await take(broker)
    await end(broker, fails, Failed("once"), clock)
    await end(broker, dies, Failed("for good"), clock)
    await end(broker, succeeds, Succeeded(b'"yes"'), clock)
    member = a_job(id="member", group="mail")
    await broker.enqueue([a_job(id="waits"), a_job(id="comes", due=clock.now() + 7.5), member])
    return {
        State.PENDING: "waits",
        State.SCHEDULED: "comes",
        State.RETRY: "fails",
        State.AGGREGATING: "member",
        State.ARCHIVED: "dies",
        State.COMPLETED: "succeeds",
    }
