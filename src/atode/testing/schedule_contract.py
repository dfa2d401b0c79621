"""The part of the contract about what schedulers show and tick."""

import asyncio
from collections import Counter

import pytest

from atode.broker.protocol import Broker
from atode.job import Job, State
from atode.outcome import Failed, Outcome, Succeeded
from atode.schedule import Entry, EntryOptions, Fired, Tick, Ticked, tick_id
from atode.testing.clock import FakeClock
from atode.testing.jobs import a_job, end, ids, take

NINE = 1_900_000_000.0
TEN = NINE + 3600
ELEVEN = TEN + 3600


def a_tick(at: float = NINE, schedule: str = "nightly", job: Job | None = None) -> Tick:
    return Tick(schedule, at, job or a_job(id=tick_id(schedule, at)))


def a_lone_tick(at: float, schedule: str = "nightly") -> Tick:
    return a_tick(at, schedule)._replace(may_overlap=False)


def an_entry(id: str = "nightly", *, next: float = 0.0, prev: float = 0.0) -> Entry:
    options = EntryOptions("mail", 3, 1800.0, 86_400.0, 3600.0)
    return Entry(id, "0 9 * * MON", "report:build", b'{"n":1}', options, next, prev)


class ScheduleContract:
    """A part of `BrokerContract`."""

    # entries

    async def test_an_entry_comes_back_whole(self, broker: Broker) -> None:
        entry = an_entry(next=TEN + 0.5, prev=NINE)

        await broker.show("s1", [entry], lifetime=20)

        assert list(await broker.entries()) == [entry]

    async def test_an_entry_may_say_little(self, broker: Broker) -> None:
        entry = Entry("朝", "@every 30s", "demo", options=EntryOptions('a "(queue)"\n'))

        await broker.show("s1", [entry], lifetime=20)

        assert list(await broker.entries()) == [entry]

    async def test_what_is_shown_again_replaces_what_was(self, broker: Broker) -> None:
        await broker.show("s1", [an_entry("a"), an_entry("b")], lifetime=20)

        await broker.show("s1", [an_entry("b", next=TEN)], lifetime=20)

        assert list(await broker.entries()) == [an_entry("b", next=TEN)]

    async def test_entries_vanish_with_their_scheduler(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.show("s1", [an_entry("a")], lifetime=20)
        clock.advance(15)
        await broker.show("s2", [an_entry("b")], lifetime=20)

        clock.advance(10)

        assert [entry.id for entry in await broker.entries()] == ["b"]

    async def test_a_scheduler_that_stops_is_hidden_at_once(self, broker: Broker) -> None:
        await broker.show("s1", [an_entry("a")], lifetime=20)
        await broker.show("s2", [an_entry("b")], lifetime=20)

        await broker.hide("s1")
        await broker.hide("nobody")

        assert [entry.id for entry in await broker.entries()] == ["b"]

    async def test_what_several_schedulers_run_is_listed_once_as_it_is_newest(
        self, broker: Broker
    ) -> None:
        await broker.show("s1", [an_entry(prev=NINE, next=TEN)], lifetime=20)
        await broker.show("s2", [an_entry(prev=TEN, next=ELEVEN)], lifetime=20)
        await broker.show("s3", [an_entry(next=TEN)], lifetime=20)

        assert list(await broker.entries()) == [an_entry(prev=TEN, next=ELEVEN)]

    async def test_entries_come_as_they_fire_next_and_last_those_that_never_do(
        self, broker: Broker
    ) -> None:
        entries = [an_entry("never"), an_entry("late", next=TEN), an_entry("soon", next=NINE)]

        await broker.show("s1", entries, lifetime=20)

        assert [entry.id for entry in await broker.entries()] == ["soon", "late", "never"]

    async def test_a_scheduler_without_schedules_shows_nothing(self, broker: Broker) -> None:
        await broker.show("s1", [an_entry()], lifetime=20)

        await broker.show("s1", [], lifetime=20)

        assert list(await broker.entries()) == []

    # ticks

    async def test_a_tick_becomes_a_job_that_can_be_claimed(self, broker: Broker) -> None:
        job = a_job(id="j1", retention=60)

        assert await broker.tick([a_tick(job=job)], worker="w1") == [Ticked.STORED]

        [claim] = await take(broker)
        assert claim.job == job._replace(state=State.ACTIVE)
        assert await broker.queues() == ["default"]

    async def test_a_tick_may_become_a_job_for_later(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        due = clock.now() + 30.25

        await broker.tick([a_tick(job=a_job(id="j1", due=due))], worker="w1")

        assert list(await take(broker)) == []
        assert await broker.promote(["default"]) == due
        clock.advance(30.25)
        await broker.promote(["default"])
        assert ids(await take(broker)) == ["j1"]

    async def test_a_tick_of_another_worker_is_late(self, broker: Broker) -> None:
        await broker.tick([a_tick(job=a_job(id="mine"))], worker="w1")

        assert await broker.tick([a_tick(job=a_job(id="other"))], worker="w2") == [Ticked.LATE]

        assert ids(await take(broker)) == ["mine"]

    async def test_a_repeated_call_gets_the_first_answer_and_stores_nothing(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="taken")])
        ticks = [a_tick(), a_tick(schedule="blocked", job=a_job(id="taken"))]
        first = await broker.tick(ticks, worker="w1")
        for claim in await take(broker):
            await end(broker, claim, Succeeded(), clock)
        clock.advance(5)

        again = await broker.tick(ticks, worker="w1")

        assert list(first) == list(again) == [Ticked.STORED, Ticked.REFUSED]
        assert list(await take(broker)) == []
        assert len(await broker.fired("nightly")) == 1

    async def test_an_older_tick_is_late_and_a_newer_one_counts(self, broker: Broker) -> None:
        await broker.tick([a_tick(TEN)], worker="w1")

        answers = await broker.tick([a_tick(NINE), a_tick(ELEVEN)], worker="w1")

        assert list(answers) == [Ticked.LATE, Ticked.STORED]
        assert ids(await take(broker)) == [tick_id("nightly", TEN), tick_id("nightly", ELEVEN)]

    async def test_ticks_that_were_missed_can_be_made_up_for_in_one_call(
        self, broker: Broker
    ) -> None:
        ticks = [a_tick(at) for at in (NINE, TEN, ELEVEN)]

        assert list(await broker.tick(ticks, worker="w1")) == [Ticked.STORED] * 3

        assert ids(await take(broker)) == [tick.job.id for tick in ticks]

    async def test_ticks_a_millisecond_apart_are_two(self, broker: Broker) -> None:
        ticks = [a_tick(NINE), a_tick(NINE + 0.001)]

        assert list(await broker.tick(ticks, worker="w1")) == [Ticked.STORED] * 2

    async def test_schedules_tick_for_themselves(self, broker: Broker) -> None:
        ticks = [
            a_tick(TEN, "a"),
            a_tick(NINE, "b"),
            a_tick(NINE, "a", a_job("mail", id="elsewhere")),
        ]

        assert list(await broker.tick(ticks, worker="w1")) == [Ticked.STORED] * 3

    async def test_a_job_whose_id_is_taken_is_refused_and_its_tick_is_over(
        self, broker: Broker
    ) -> None:
        await broker.enqueue([a_job(id="j1", payload=b"old")])

        assert await broker.tick([a_tick(job=a_job(id="j1"))], worker="w1") == [Ticked.REFUSED]
        assert await broker.tick([a_tick()], worker="w2") == [Ticked.LATE]

        [claim] = await take(broker)
        assert claim.job.payload == b"old"
        assert list(await broker.fired("nightly")) == []

    async def test_a_unique_job_of_the_last_tick_is_in_the_way_of_the_next(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        def unique(at: float) -> Tick:
            return a_tick(at, job=a_job(id=tick_id("nightly", at), unique_for=600))

        first = await broker.tick([unique(NINE)], worker="w1")
        blocked = await broker.tick([unique(TEN)], worker="w1")
        [claim] = await take(broker)
        await end(broker, claim, Succeeded(), clock)
        free = await broker.tick([unique(ELEVEN)], worker="w1")

        assert [*first, *blocked, *free] == [Ticked.STORED, Ticked.REFUSED, Ticked.STORED]
        assert ids(await take(broker)) == [tick_id("nightly", ELEVEN)]

    async def test_a_tick_that_may_not_overlap_becomes_no_job_while_the_last_one_is_unfinished(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        first = await broker.tick([a_lone_tick(NINE)], worker="w1")
        waits = await broker.tick([a_lone_tick(NINE + 1)], worker="w2")
        [claim] = await take(broker)
        runs = await broker.tick([a_lone_tick(NINE + 2)], worker="w1")
        await end(broker, claim, Failed("boom"), clock)
        waits_again = await broker.tick([a_lone_tick(NINE + 3)], worker="w2")

        assert [*first, *waits, *runs, *waits_again] == [Ticked.STORED, *[Ticked.REFUSED] * 3]
        assert list(await broker.last_ticks("default", ["nightly"])) == [NINE + 3]
        assert await broker.tick([a_lone_tick(NINE + 3)], worker="w1") == [Ticked.LATE]

    @pytest.mark.parametrize("outcome", [Succeeded(b"1"), Failed("boom", permanent=True)])
    async def test_a_tick_that_may_not_overlap_goes_by_jobs_that_have_ended(
        self, broker: Broker, clock: FakeClock, outcome: Outcome
    ) -> None:
        await broker.tick([a_lone_tick(NINE)], worker="w1")
        await broker.tick([a_lone_tick(TEN)], worker="w1")
        [claim] = await take(broker)
        await end(broker, claim, outcome, clock)

        assert await broker.tick([a_lone_tick(ELEVEN)], worker="w1") == [Ticked.STORED]

        assert ids(await take(broker)) == [tick_id("nightly", ELEVEN)]

    async def test_only_the_schedule_s_own_jobs_keep_a_tick_from_overlapping(
        self, broker: Broker
    ) -> None:
        await broker.tick([a_tick(NINE, "a"), a_lone_tick(NINE)], worker="w1")

        ticks = [a_lone_tick(TEN, "a"), a_lone_tick(TEN, "b"), a_tick(TEN), a_lone_tick(TEN, "b")]
        again = await broker.tick([*ticks, a_lone_tick(ELEVEN, "b")], worker="w1")

        assert list(again) == [
            Ticked.REFUSED,
            Ticked.STORED,
            Ticked.STORED,
            Ticked.STORED,  # The same tick again, of the same worker.
            Ticked.REFUSED,
        ]

    async def test_many_schedulers_at_once_make_one_job_of_each_tick(self, broker: Broker) -> None:
        siblings = [broker.sibling() for _ in range(5)]
        ticks = [a_tick(NINE + n) for n in range(20)]

        async def run(sibling: Broker, worker: str) -> list[Ticked]:
            return [
                ticked for tick in ticks for ticked in await sibling.tick([tick], worker=worker)
            ]

        came_of = await asyncio.gather(
            *(run(sibling, f"w{n}") for n, sibling in enumerate(siblings))
        )
        for sibling in siblings:
            await sibling.close()

        answers = Counter(ticked for answers in came_of for ticked in answers)
        assert answers == {Ticked.STORED: 20, Ticked.LATE: 80}
        assert ids(await take(broker)) == [tick.job.id for tick in ticks]

    async def test_a_tick_wakes_a_worker_that_waits(self, broker: Broker) -> None:
        waiting = asyncio.create_task(broker.wait(["default"], at_most=60))
        await asyncio.sleep(0.05)

        await broker.tick([a_tick()], worker="w1")

        async with asyncio.timeout(10):
            await waiting

    async def test_no_tick_is_no_call(self, broker: Broker) -> None:
        assert list(await broker.tick([], worker="w1")) == []

    # last ticks

    async def test_the_last_tick_is_known_whatever_came_of_it(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="taken")])
        ticks = [a_tick(NINE + 0.25, "a"), a_tick(TEN, "b", a_job(id="taken"))]
        await broker.tick(ticks, worker="w1")

        assert list(await broker.last_ticks("default", ["b", "c", "a"])) == [
            TEN,
            None,
            NINE + 0.25,
        ]
        assert list(await broker.last_ticks("mail", ["a"])) == [None]
        assert list(await broker.last_ticks("default", [])) == []

    async def test_a_schedule_that_is_new_can_be_recorded_as_such(self, broker: Broker) -> None:
        await broker.tick([a_tick(NINE, "old")], worker="w1")

        found = await broker.last_ticks("default", ["old", "new"], first=TEN)

        assert list(found) == [NINE, TEN]
        assert list(await broker.last_ticks("default", ["new"], first=ELEVEN)) == [TEN]
        ticks = [a_tick(TEN, "new"), a_tick(ELEVEN, "new")]
        assert list(await broker.tick(ticks, worker="w1")) == [Ticked.LATE, Ticked.STORED]

    async def test_a_queue_that_is_removed_takes_its_ticks_along(self, broker: Broker) -> None:
        await broker.tick([a_tick()], worker="w1")
        await broker.tick([a_tick(job=a_job("mail"))], worker="w1")

        assert await broker.remove("default", force=True)

        assert list(await broker.last_ticks("default", ["nightly"])) == [None]
        assert list(await broker.last_ticks("mail", ["nightly"])) == [NINE]

    # history

    async def test_what_a_schedule_became_is_listed_newest_first(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        start = clock.now()
        for n in range(3):
            await broker.tick([a_tick(NINE + n, job=a_job(id=f"j{n}"))], worker="w1")
            clock.advance(60)

        assert list(await broker.fired("nightly")) == [
            Fired("j2", start + 120),
            Fired("j1", start + 60),
            Fired("j0", start),
        ]
        assert [one.job_id for one in await broker.fired("nightly", offset=1, limit=1)] == ["j1"]
        assert list(await broker.fired("nightly", offset=3)) == []
        assert list(await broker.fired("other")) == []

    async def test_only_the_newest_thousand_are_on_record(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        for n in range(1010):
            await broker.tick([a_tick(NINE + n, job=a_job(id=f"j{n}"))], worker="w1")
            clock.advance(1)

        found = await broker.fired("nightly", limit=2000)

        assert [one.job_id for one in found] == [f"j{n}" for n in range(1009, 9, -1)]

    async def test_what_a_schedule_became_stays_on_record_without_its_scheduler(
        self, broker: Broker
    ) -> None:
        await broker.show("s1", [an_entry()], lifetime=20)
        await broker.tick([a_tick()], worker="w1")

        await broker.hide("s1")

        assert [one.job_id for one in await broker.fired("nightly")] == [tick_id("nightly", NINE)]
