"""What schedulers make of ticks, on a clock that stands still until a test moves it."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from atode import Atode, BrokerRefused, BrokerUnavailable
from atode.broker.memory import MemoryBroker
from atode.events import BrokerBack, BrokerLost, JobEnqueued, ScheduleFailed, TickSkipped
from atode.job import Job, State
from atode.schedule import Entry, Tick, Ticked, tick_id
from atode.testing.clock import FakeClock
from atode.worker._scheduler import Scheduler
from tests.integration.stage import heard, until

QUEUE = "default"


class Place(MemoryBroker):
    """A memory broker that can be away, lose an answer, and refuse the ticks of a queue."""

    is_away = False
    loses_answers = 0
    refuses = ""
    shown = 0

    def seen_by(self, clock: FakeClock) -> "Place":
        """The same store, for somebody with a clock of his own."""
        return type(self)(clock, _store=self._store)

    async def show(self, scheduler: str, entries: Sequence[Entry], *, lifetime: float) -> None:
        self.shown += 1
        await super().show(scheduler, entries, lifetime=lifetime)

    async def tick(self, ticks: Sequence[Tick], *, worker: str) -> Sequence[Ticked]:
        if self.is_away:
            raise BrokerUnavailable("the store is away")
        if any(tick.job.queue == self.refuses for tick in ticks):
            raise BrokerRefused("WRONGTYPE")
        answers = await super().tick(ticks, worker=worker)
        if self.loses_answers:
            self.loses_answers -= 1
            raise BrokerUnavailable("the answer got lost")
        return answers


class Town:
    """An app, and the store in which its schedulers meet."""

    def __init__(self) -> None:
        self.clock = FakeClock()  # 17:46:40
        self.jobs = Atode("memory://", clock=self.clock)
        self.broker = Place(self.clock)
        self.schedulers: list[Scheduler] = []
        self.failed = heard(self.jobs, ScheduleFailed)
        self.skipped = heard(self.jobs, TickSkipped)

        @self.jobs.task
        async def work(n: int = 0) -> None: ...

        self.work = work

    @asynccontextmanager
    async def schedulers_run(self, number: int = 1) -> AsyncGenerator[None]:
        self.schedulers = [
            Scheduler(
                self.broker, self.jobs.timetable, self.clock, self.jobs.events, worker=f"w{n}"
            )
            for n in range(number)
        ]
        for scheduler in self.schedulers:
            scheduler.start()
        await self.settled()
        try:
            yield
        finally:
            for scheduler in self.schedulers:
                await scheduler.stop()

    async def settled(self) -> None:
        """Return once every scheduler sleeps."""
        for _ in range(50):
            await asyncio.sleep(0)

    async def pass_by(self, seconds: float, step: float | None = None) -> None:
        """Let time pass: at once, or in steps."""
        for _ in range(round(seconds / step) if step else 1):
            self.clock.advance(step or seconds)
            await self.settled()

    async def stored(self, queue: str = QUEUE) -> list[Job]:
        """The jobs that wait, as they were stored."""
        return list(await self.broker.find(queue, State.PENDING, limit=10_000))

    async def ticks(self, queue: str = QUEUE) -> list[str]:
        """The instants of those jobs, as HH:MM:SS."""
        return [job.headers["atode-tick"][11:19] for job in await self.stored(queue)]


@pytest.fixture
def town() -> Town:
    return Town()


# Ticks


async def test_a_job_is_stored_at_its_tick_and_not_before(town: Town) -> None:
    town.jobs.schedule("* * * * *", town.work.call(7))
    enqueued = heard(town.jobs, JobEnqueued)
    async with town.schedulers_run():
        await town.pass_by(19.999)
        assert await town.stored() == []

        await town.pass_by(0.001)

    [job] = await town.stored()
    assert job.id == tick_id("work", town.clock.now())
    assert job.payload == b'{"n":7}'
    assert [event.job.id for event in enqueued] == [job.id]


async def test_five_schedulers_make_one_job_of_each_tick(town: Town) -> None:
    town.jobs.schedule("* * * * * *", town.work.call(), id="often")
    town.jobs.schedule("*/5 * * * * *", town.work.call(), id="seldom")
    async with town.schedulers_run(5):
        await town.pass_by(60, step=0.5)

    found = Counter(job.headers["atode-schedule"] for job in await town.stored())
    assert found == {"often": 60, "seldom": 12}
    assert len({job.id for job in await town.stored()}) == 72


async def test_a_tick_that_somebody_else_has_stored_is_not_stored_again_after_its_job_has_run(
    town: Town,
) -> None:
    town.jobs.schedule("* * * * *", town.work.call())
    async with town.schedulers_run(2):
        town.schedulers[0].stopping = True  # It wakes, and turns no more.
        await town.pass_by(20)
        await town.broker.delete(QUEUE, State.PENDING)

    late = Scheduler(town.broker, town.jobs.timetable, town.clock, town.jobs.events, worker="late")
    late.start()
    await town.settled()
    await late.stop()
    assert await town.stored() == []


async def test_who_was_frozen_for_long_stores_nothing_that_others_have_stored(town: Town) -> None:
    town.jobs.schedule("* * * * *", town.work.call(), catch_up="all")
    own_clock = FakeClock()
    sleeper = Scheduler(
        town.broker.seen_by(own_clock),
        town.jobs.timetable,
        own_clock,
        town.jobs.events,
        worker="sleeper",
    )
    sleeper.start()
    async with town.schedulers_run():
        await town.pass_by(600, step=10)
        before = await town.ticks()

        # It wakes up ten minutes later, with all that it had in memory.
        own_clock.advance(600)
        await town.settled()

    await sleeper.stop()
    assert await town.ticks() == before
    assert len(before) == 10


async def test_jitter_stores_a_job_for_later(town: Town) -> None:
    town.jobs.schedule("* * * * *", town.work.call(), jitter=30)
    async with town.schedulers_run():
        await town.pass_by(20)

    [job] = await town.broker.find(QUEUE, State.SCHEDULED)
    assert town.clock.now() < job.due < town.clock.now() + 30


async def test_a_tick_is_skipped_while_the_last_job_is_unfinished(town: Town) -> None:
    town.jobs.schedule("* * * * *", town.work.call(), overlap="skip")
    async with town.schedulers_run(2):
        await town.pass_by(20)
        await town.pass_by(60)
        assert await town.ticks() == ["17:47:00"]

        await town.broker.archive(QUEUE, State.PENDING)
        await town.pass_by(60)

    assert await town.ticks() == ["17:49:00"]
    assert [event.at for event in town.skipped] == [town.clock.now() - 60]


# Outages


async def test_ticks_of_an_outage_are_made_up_for(town: Town) -> None:
    town.jobs.schedule("* * * * *", town.work.call(), id="once")
    town.jobs.schedule("* * * * *", town.work.call(), id="each", catch_up="all", catch_up_limit=3)
    town.jobs.schedule("* * * * *", town.work.call(), id="never", catch_up="none", grace=10)
    lost, back = heard(town.jobs, BrokerLost), heard(town.jobs, BrokerBack)
    async with town.schedulers_run():
        town.broker.is_away = True
        await town.pass_by(320)  # 17:52:00
        await town.pass_by(30)
        await until(lambda: lost)
        town.broker.is_away = False
        await until(lambda: back)
        await town.settled()

    found = [
        (job.headers["atode-schedule"], job.headers["atode-tick"]) for job in await town.stored()
    ]
    assert sorted((schedule, tick[11:16]) for schedule, tick in found) == [
        ("each", "17:50"),
        ("each", "17:51"),
        ("each", "17:52"),
        ("once", "17:52"),
    ]


async def test_a_lost_answer_doubles_nothing_and_is_told_once(town: Town) -> None:
    town.jobs.schedule("* * * * *", town.work.call())
    enqueued, back = heard(town.jobs, JobEnqueued), heard(town.jobs, BrokerBack)
    async with town.schedulers_run():
        town.broker.loses_answers = 1
        await town.pass_by(20)
        await until(lambda: back)
        await town.settled()

    assert await town.ticks() == ["17:47:00"]
    assert len(enqueued) == 1


async def test_a_queue_that_refuses_ticks_stops_no_other_s(town: Town) -> None:
    town.jobs.schedule("* * * * *", town.work.options(queue="broken").call(), id="a")
    town.jobs.schedule("* * * * *", town.work.call(), id="b")
    lost, back = heard(town.jobs, BrokerLost), heard(town.jobs, BrokerBack)
    async with town.schedulers_run():
        town.broker.refuses = "broken"
        await town.pass_by(20)
        await until(lambda: lost)
        assert await town.ticks() == ["17:47:00"]

        town.broker.refuses = ""
        await until(lambda: back)
        await town.settled()

    assert await town.ticks("broken") == ["17:47:00"]


async def test_what_was_missed_while_nobody_was_there_is_made_up_for(town: Town) -> None:
    town.jobs.schedule("* * * * *", town.work.call())
    async with town.schedulers_run():
        await town.pass_by(20)
    await town.pass_by(630)

    async with town.schedulers_run():
        assert await town.ticks() == ["17:47:00", "17:57:00"]


async def test_a_schedule_that_is_new_begins_with_its_next_tick(town: Town) -> None:
    town.jobs.schedule("* * * * *", town.work.call(), catch_up="all")
    async with town.schedulers_run():
        assert await town.stored() == []
        await town.pass_by(20)

    assert await town.ticks() == ["17:47:00"]


# Mistakes


async def test_a_function_that_raises_costs_its_own_ticks_only(town: Town) -> None:
    def call(_: Any) -> Any:
        raise RuntimeError("no idea")

    town.jobs.schedule("* * * * *", call, id="broken")
    town.jobs.schedule("* * * * *", town.work.call(), id="sound")
    async with town.schedulers_run():
        assert [event.schedule for event in town.failed] == ["broken"]
        town.failed.clear()

        await town.pass_by(20)
        await town.pass_by(60)

    assert await town.ticks() == ["17:47:00", "17:48:00"]
    assert {event.schedule for event in town.failed} == {"broken"}
    assert str(town.failed[0].error) == "no idea"


async def test_rubbish_in_the_store_is_reported_once_and_disturbs_nobody(town: Town) -> None:
    town.jobs.schedule("* * * * *", town.work.call())
    await town.broker.define("rubbish", "{]", version=0)
    async with town.schedulers_run():
        await town.broker.define("more", "null", version=0)
        await town.pass_by(20)

    assert await town.ticks() == ["17:47:00"]
    assert [event.schedule for event in town.failed] == ["rubbish", "more"]


# What tools see


async def test_what_runs_is_shown_with_the_job_of_the_next_tick(town: Town) -> None:
    town.jobs.schedule(
        "0 18 * * *",
        lambda tick: town.work.call((tick - timedelta(days=1)).day),
        id="daily",
        timezone="UTC",
    )
    async with town.schedulers_run(3):
        [entry] = await town.broker.entries()
        assert (entry.spec, entry.task, entry.payload) == ("0 18 * * *", "work", b'{"n":16}')
        assert (entry.next, entry.prev) == (1_900_000_800.0, 0.0)

        await town.pass_by(800)
        await town.pass_by(5)

        [entry] = await town.broker.entries()
        assert (entry.next, entry.prev) == (1_900_087_200.0, 1_900_000_800.0)
        assert entry.payload == b'{"n":17}'


async def test_who_stops_hides_what_it_shows_unless_others_show_it_too(town: Town) -> None:
    town.jobs.schedule("@hourly", town.work.call())
    other = town.jobs.worker().presence()
    await town.broker.beat(other, lifetime=60)

    async with town.schedulers_run():
        pass
    assert [entry.id for entry in await town.broker.entries()] == ["work"]
    await town.broker.leave(other)

    async with town.schedulers_run():
        pass
    assert list(await town.broker.entries()) == []


async def test_what_a_killed_scheduler_shows_ends_by_itself(town: Town) -> None:
    town.jobs.schedule("@hourly", town.work.call())
    async with town.schedulers_run():
        await town.pass_by(12, step=1)
        assert list(await town.broker.entries())
        for scheduler in town.schedulers:
            scheduler.stopping = True

    town.clock.advance(16)
    assert list(await town.broker.entries()) == []


async def test_without_schedules_nothing_is_written(town: Town) -> None:
    async with town.schedulers_run():
        await town.pass_by(60, step=5)

    assert town.broker.shown == 0
    assert await town.broker.queues() == []


async def test_a_worker_can_leave_schedules_to_others() -> None:
    clock = FakeClock()
    jobs = Atode("memory://", clock=clock)
    jobs.schedule("* * * * *", jobs.task(_nothing).call())
    worker = jobs.worker(schedules=False)
    running = asyncio.create_task(worker.run(signals=False))
    await asyncio.sleep(0.05)
    clock.advance(120)
    await asyncio.sleep(0.05)
    worker.stop()
    await running

    async with jobs:
        assert list(await jobs.broker.fired("_nothing")) == []


async def _nothing() -> None: ...
