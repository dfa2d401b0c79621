"""Looking at schedules, and defining, changing and pausing them while workers run."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from atode import (
    Atode,
    BadOption,
    BadSchedule,
    DuplicateSchedule,
    Misused,
    NotUnique,
    ScheduleChanged,
    UnknownSchedule,
)
from atode._portal import Portal
from atode.broker.protocol import Broker
from atode.job import Job, State
from atode.schedule import Entry
from atode.task import AsyncTask
from atode.testing.clock import FakeClock
from atode.worker._scheduler import Scheduler
from tests.integration.stage import until, working


class Company:
    """An app with a task and a schedule in its code, at 2030-03-17 17:46:40 UTC."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.jobs = Atode("memory://", clock=self.clock)

        @self.jobs.task(queue="low", timeout=60)
        async def digest(user: int) -> int:
            return user * 2

        self.digest: AsyncTask[[int], int] = digest
        self.jobs.schedule("0 9 * * *", digest.call(0), id="coded", timezone="Asia/Tokyo")
        self.schedules = self.jobs.schedules

    @property
    def broker(self) -> Broker:
        return self.jobs.broker

    @asynccontextmanager
    async def schedulers_run(self) -> AsyncGenerator[None]:
        """Two schedulers, which have nothing but the store in common with those who ask."""
        running = [
            Scheduler(
                self.broker.sibling(),
                self.jobs.timetable,
                self.clock,
                self.jobs.events,
                worker=f"w{n}",
            )
            for n in range(2)
        ]
        for scheduler in running:
            scheduler.start()
        await self.settled()
        yield
        for scheduler in running:
            await scheduler.stop()

    async def settled(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    async def pass_by(self, seconds: float) -> None:
        await self.settled()
        self.clock.advance(seconds)
        await self.settled()

    async def stored(self) -> list[Job]:
        return list(await self.broker.find("low", State.PENDING, limit=1000))


@pytest.fixture
def company() -> Company:
    return Company()


# Definitions


async def test_a_schedule_that_is_added_fires_on_all_workers_without_a_restart(
    company: Company,
) -> None:
    async with company.schedulers_run():
        made = await company.schedules.add("user:7", "* * * * *", company.digest.call(7))
        await company.pass_by(20)

    assert (made.task, made.queue, made.defined_in, made.paused) == (
        "digest",
        "low",
        "store",
        False,
    )
    assert made.next
    assert made.next.isoformat() == "2030-03-17T17:47:00+00:00"
    [job] = await company.stored()
    assert (job.task, job.payload, job.timeout) == ("digest", b'{"user":7}', 60)
    assert job.headers["atode-schedule"] == "user:7"


async def test_workers_that_do_not_know_the_task_fire_the_schedule_too(company: Company) -> None:
    await company.schedules.add("user:7", "* * * * *", company.digest.call(7))
    stranger = Scheduler(
        company.broker,
        Atode("memory://").timetable,
        company.clock,
        company.jobs.events,
        worker="stranger",
    )
    stranger.start()
    await company.pass_by(20)
    await stranger.stop()

    assert [job.payload for job in await company.stored()] == [b'{"user":7}']


async def test_ticks_since_it_was_added_are_made_up_for_by_the_first_worker(
    company: Company,
) -> None:
    await company.schedules.add("user:7", "* * * * *", company.digest.call(7), catch_up="all")
    await company.pass_by(140)

    async with company.schedulers_run():
        pass

    ticks = [job.headers["atode-tick"][11:16] for job in await company.stored()]
    assert ticks == ["17:47", "17:48", "17:49"]


async def test_a_changed_schedule_goes_on_with_its_next_tick(company: Company) -> None:
    await company.schedules.add("user:7", "* * * * *", company.digest.call(7), catch_up="all")
    await company.pass_by(600)

    changed = await company.schedules.change("user:7", cron="*/5 * * * *", overlap="allow")
    async with company.schedulers_run():
        assert await company.stored() == []
        await company.pass_by(220)  # 18:00:20
        await company.schedules.change("user:7", call=company.digest.call(8))
        await company.pass_by(300)

    assert str(changed.timing.cron) == "*/5 * * * *"
    assert changed.timing.catch_up == "all"
    found = [(job.payload, job.headers["atode-tick"][11:16]) for job in await company.stored()]
    assert found == [(b'{"user":7}', "18:00"), (b'{"user":8}', "18:05")]


async def test_a_change_may_bring_another_time_zone(company: Company) -> None:
    await company.schedules.add(
        "user:7", "0 9 * * *", company.digest.call(7), timezone="Asia/Tokyo"
    )

    moved = await company.schedules.change("user:7", timezone="Europe/Berlin")
    again = await company.schedules.change("user:7", cron="TZ=America/Lima 0 9 * * *")

    assert str(moved.timing.cron) == "CRON_TZ=Europe/Berlin 0 9 * * *"
    assert str(again.timing.cron) == "CRON_TZ=America/Lima 0 9 * * *"


async def test_who_has_seen_an_older_version_changes_nothing(company: Company) -> None:
    seen = await company.schedules.add("user:7", "* * * * *", company.digest.call(7))
    newer = await company.schedules.change("user:7", cron="@daily", version=seen.version)

    with pytest.raises(ScheduleChanged, match="'user:7' was changed meanwhile; look at it again"):
        await company.schedules.change("user:7", cron="@hourly", version=seen.version)

    assert await company.schedules.get("user:7") == newer


async def test_changes_at_the_same_time_are_all_made(company: Company) -> None:
    await company.schedules.add("user:7", "* * * * *", company.digest.call(7))

    await asyncio.gather(
        company.schedules.change("user:7", cron="@daily"),
        company.schedules.change("user:7", jitter=5),
        company.schedules.change("user:7", overlap="skip"),
        company.schedules.pause("user:7"),
    )

    found = await company.schedules.get("user:7")
    assert found
    assert (found.timing.cron.spec, found.timing.jitter) == ("@daily", 5)
    assert (found.timing.overlap, found.paused) == ("skip", True)


async def test_a_removed_schedule_fires_no_more(company: Company) -> None:
    async with company.schedulers_run():
        await company.schedules.add("user:7", "* * * * *", company.digest.call(7))
        assert await company.schedules.remove("user:7")
        assert not await company.schedules.remove("user:7")
        await company.pass_by(60)

    assert await company.stored() == []
    assert await company.schedules.get("user:7") is None


# Pauses


@pytest.mark.parametrize("schedule", ["coded", "user:7"])
async def test_a_paused_schedule_does_not_fire_and_makes_up_for_nothing(
    company: Company, schedule: str
) -> None:
    await company.schedules.add("user:7", "0 0 * * *", company.digest.call(7))
    async with company.schedulers_run():
        assert await company.schedules.pause(schedule)
        assert not await company.schedules.pause(schedule)
        await company.pass_by(30 * 3600)
        fired = {job.headers["atode-schedule"] for job in await company.stored()}
        assert fired == {"coded", "user:7"} - {schedule}

        assert await company.schedules.resume(schedule)
        assert not await company.schedules.resume(schedule)
        await company.settled()
        assert len(await company.stored()) == 1

        await company.pass_by(24 * 3600)

    fired = {job.headers["atode-schedule"] for job in await company.stored()}
    assert fired == {"coded", "user:7"}


async def test_a_pause_outlives_the_workers_and_is_shown(company: Company) -> None:
    await company.schedules.pause("coded")
    async with company.schedulers_run():
        await company.pass_by(30 * 3600)
        [entry] = await company.broker.entries()

    assert (entry.id, entry.next) == ("coded", 0.0)
    assert await company.stored() == []
    info = await company.schedules.get("coded")
    assert info
    assert (info.paused, info.next, info.defined_in) == (True, None, "code")


async def test_a_schedule_that_its_code_does_not_enable_waits_to_be_resumed(
    company: Company,
) -> None:
    company.jobs.schedule("@hourly", company.digest.call(1), id="off", enabled=False)
    async with company.schedulers_run():
        await company.pass_by(3600)
        assert await company.stored() == []

        assert await company.schedules.resume("off")
        await company.pass_by(3600)

    assert [job.headers["atode-schedule"] for job in await company.stored()] == ["off"]


async def test_what_another_program_s_code_defines_can_be_paused_while_it_runs(
    company: Company,
) -> None:
    other = Atode("memory://", clock=company.clock)
    store = company.broker
    outside = type(company.schedules)(
        other.timetable, lambda: company.jobs.client, Portal(), company.clock
    )
    async with company.schedulers_run():
        assert await outside.pause("coded")
        await company.pass_by(30 * 3600)
        assert [each.id for each in await outside.list()] == ["coded"]

    assert await company.stored() == []
    await store.show("go", [Entry("go's", "@hourly", "t")], lifetime=60)
    with pytest.raises(Misused, match='"go\'s" is run by a scheduler of another kind'):
        await outside.pause("go's")


# Looking


async def test_all_schedules_are_listed_with_how_they_stand(company: Company) -> None:
    await company.schedules.add("user:7", "@every 1h", company.digest.call(7))
    await company.schedules.pause("user:7")
    async with company.schedulers_run():
        await company.pass_by(7 * 3600)

    coded, stored = await company.schedules.list()

    assert (coded.id, coded.task, coded.payload) == ("coded", "digest", b'{"user":0}')
    assert coded.last
    assert coded.next
    assert coded.last.isoformat()[:16] == "2030-03-18T09:46"  # When it was stored; time jumps here.
    assert coded.next.isoformat() == "2030-03-19T09:00:00+09:00"
    assert (stored.id, stored.paused, stored.next, stored.last) == ("user:7", True, None, None)


async def test_the_next_fires_of_all_together_and_of_one(company: Company) -> None:
    await company.schedules.add("user:7", "0 */6 * * *", company.digest.call(7))

    together = await company.schedules.next(4)
    alone = await company.schedules.next(2, "coded")

    assert [(fire.schedule, fire.at.isoformat()[5:16]) for fire in together] == [
        ("user:7", "03-17T18:00"),
        ("coded", "03-18T09:00"),
        ("user:7", "03-18T00:00"),
        ("user:7", "03-18T06:00"),
    ]
    assert [fire.at.isoformat()[5:] for fire in alone] == [
        "03-18T09:00:00+09:00",
        "03-19T09:00:00+09:00",
    ]


# Run now


async def test_a_schedule_is_run_now_for_this_moment_and_its_ticks_stay(company: Company) -> None:
    company.jobs.schedule("@monthly", lambda tick: company.digest.call(tick.day), id="of the day")

    handle = await company.schedules.run_now("of the day")

    job = await handle.job()
    assert job
    assert (job.payload, job.headers) == (b'{"user":17}', {"atode-schedule": "of the day"})
    assert len(await company.broker.fired("of the day")) == 0


async def test_the_result_of_a_run_comes_back() -> None:
    async with Atode("memory://") as jobs:

        @jobs.cron("@yearly")
        async def answer() -> list[int]:
            return [42]

        async with working(jobs):
            handle = await jobs.schedules.run_now("answer")
            assert await handle.result(timeout=10) == [42]


async def test_a_run_that_is_not_unique_is_refused(company: Company) -> None:
    call = company.digest.options(unique_for=60).call(7)
    await company.schedules.add("user:7", "@daily", call)
    await company.schedules.run_now("user:7")

    with pytest.raises(NotUnique):
        await company.schedules.run_now("user:7")


# Mistakes


async def test_mistakes_are_refused_and_change_nothing(company: Company) -> None:
    call = company.digest.call(7)
    await company.schedules.add("user:7", "@daily", call)
    before = await company.schedules.list()

    with pytest.raises(DuplicateSchedule):
        await company.schedules.add("user:7", "@hourly", call)
    with pytest.raises(DuplicateSchedule):
        await company.schedules.add("coded", "@hourly", call)
    with pytest.raises(BadSchedule):
        await company.schedules.add("new", "61 * * * *", call)
    with pytest.raises(BadSchedule):
        await company.schedules.change("user:7", cron="61 * * * *")
    with pytest.raises(BadOption, match="id is ' '"):
        await company.schedules.add(" ", "@daily", call)
    with pytest.raises(BadOption, match="has the option 'id'"):
        await company.schedules.add("new", "@daily", company.digest.options(id="x").call(1))
    with pytest.raises(Misused, match="'coded' is defined in code; change it there"):
        await company.schedules.change("coded", cron="@daily")
    with pytest.raises(Misused, match="'coded' is defined in code; remove it there, or pause it"):
        await company.schedules.remove("coded")

    assert await company.schedules.list() == before


async def test_an_unknown_schedule_is_named_with_a_close_one(company: Company) -> None:
    said = "there is no schedule 'code'; did you mean 'coded'"
    with pytest.raises(UnknownSchedule, match=said):
        await company.schedules.pause("code")
    with pytest.raises(UnknownSchedule, match=said):
        await company.schedules.run_now("code")
    with pytest.raises(UnknownSchedule, match=said):
        await company.schedules.next(1, "code")
    with pytest.raises(UnknownSchedule, match=said):
        await company.schedules.change("code", cron="@daily")


def test_code_without_an_event_loop_does_the_same() -> None:
    company = Company()
    schedules = company.schedules

    made = schedules.add_sync("user:7", "@daily", company.digest.call(7), jitter=1)
    changed = schedules.change_sync("user:7", jitter=2, version=made.version)
    assert schedules.get_sync("user:7") == changed
    assert [each.id for each in schedules.list_sync()] == ["coded", "user:7"]
    assert schedules.pause_sync("user:7")
    assert schedules.resume_sync("user:7")
    assert [fire.schedule for fire in schedules.next_sync(1, "user:7")] == ["user:7"]
    assert schedules.run_now_sync("user:7").queue == "low"
    assert schedules.remove_sync("user:7")


async def test_real_workers_pick_up_a_schedule_at_once(tmp_path: object) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    async with Atode(url) as producer, Atode(url) as runner:

        @producer.task
        async def note() -> None: ...

        ran: list[int] = []

        @runner.task(name := "note")
        async def run() -> None:
            ran.append(1)

        assert name in runner.registry
        async with working(runner):
            await producer.schedules.add("often", "@every 1s", note.call())
            await until(lambda: ran)
