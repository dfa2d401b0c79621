"""Schedules in code: how they are registered, and which jobs their ticks become."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from atode import Atode, BadOption, BadSchedule, BadTask, DuplicateSchedule, DuplicateTask, State
from atode.schedule import tick_id
from atode.timetable import Schedule


def instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.fixture
def jobs() -> Atode:
    return Atode("memory://")


def the_schedule(jobs: Atode) -> Schedule:
    [schedule] = jobs.timetable
    return schedule


# Registration


def test_a_function_becomes_a_task_with_a_schedule_of_the_same_name(jobs: Atode) -> None:
    @jobs.cron("0 9 * * MON", timezone="Asia/Tokyo", queue="mail", timeout=60, overlap="skip")
    async def weekly() -> None: ...

    schedule = the_schedule(jobs)
    assert (schedule.id, schedule.enabled) == ("weekly", True)
    assert str(schedule.timing.cron) == "CRON_TZ=Asia/Tokyo 0 9 * * MON"
    assert "weekly" in jobs.registry
    assert (weekly.defaults.queue, weekly.defaults.timeout) == ("mail", 60)


def test_a_task_may_have_a_name_of_its_own_and_a_schedule_that_is_not_enabled(jobs: Atode) -> None:
    @jobs.cron("@daily", name="report:build", id="nightly", enabled=False)
    def build(month: str = "") -> int:
        return len(month)

    assert build.name == "report:build"
    schedule = the_schedule(jobs)
    assert (schedule.id, schedule.enabled) == ("nightly", False)


def test_a_task_may_have_several_schedules(jobs: Atode) -> None:
    @jobs.cron("0 9 * * *", id="in the morning")
    @jobs.cron("0 18 * * *", id="in the evening", overlap="skip")
    @jobs.task("pulse", queue="low")
    async def pulse() -> None: ...

    schedules = list(jobs.timetable)

    assert [each.id for each in schedules] == ["in the evening", "in the morning"]
    assert {each.template(0).queue for each in schedules} == {"low"}


def test_a_call_is_stored_as_its_options_say(jobs: Atode) -> None:
    @jobs.task
    async def clean(days: int) -> None: ...

    call = clean.options(queue="batch", max_retry=2, unique_for=60, delay=30).call(90)
    jobs.schedule("0 2 * * *", call)

    at = instant("2030-01-01T02:00+00:00")
    job = the_schedule(jobs).job(at, at)
    assert (job.task, job.queue, job.payload) == ("clean", "batch", b'{"days":90}')
    assert (job.max_retry, job.unique_for) == (2, 60)
    assert (job.state, job.due) == (State.SCHEDULED, at + 30)


@pytest.mark.parametrize(
    ("tick", "month"),
    [
        ("2026-11-01T00:00+09:00", "2026-10"),
        ("2027-01-01T00:00+09:00", "2026-12"),
        ("2028-03-01T00:00+09:00", "2028-02"),
    ],
)
def test_arguments_may_depend_on_the_tick_as_the_schedule_s_clocks_show_it(
    jobs: Atode, tick: str, month: str
) -> None:
    @jobs.task
    async def report(month: str) -> None: ...

    jobs.schedule(
        "0 0 1 * *",
        lambda tick: report.call(f"{tick - timedelta(days=1):%Y-%m}"),
        id="monthly",
        timezone="Asia/Tokyo",
    )

    schedule = the_schedule(jobs)
    assert schedule.timing.cron.after(instant(tick) - 60) == instant(tick)
    assert schedule.job(instant(tick), instant(tick)).payload == b'{"month":"%s"}' % month.encode()


# Refusals


def a_task(jobs: Atode) -> Any:
    @jobs.task
    async def work(n: int = 0) -> None: ...

    return work


def test_a_second_schedule_of_the_same_id_is_refused(jobs: Atode) -> None:
    work = a_task(jobs)
    jobs.schedule("@daily", work.call())

    with pytest.raises(DuplicateSchedule, match="'work' already; give this one another id, as in"):
        jobs.schedule("@hourly", work.call())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"id": "one"}, "has the option 'id', but the ids of its jobs are made of schedule and"),
        ({"at": datetime.now(UTC)}, "has the option 'at', an instant, which passes; use delay"),
        ({"deadline": datetime.now(UTC)}, "has the option 'deadline', an instant, which passes"),
        ({"transaction": object()}, "has the option 'transaction', but workers store its jobs"),
    ],
)
def test_a_call_that_only_one_job_can_be_is_refused(
    jobs: Atode, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadOption) as caught:
        jobs.schedule("@daily", a_task(jobs).options(**options).call())

    assert said in str(caught.value)


def test_an_item_of_a_batch_is_refused(jobs: Atode) -> None:
    @jobs.batch
    async def digest(items: list[int]) -> None: ...

    with pytest.raises(BadOption, match="'digest' is a batch task, whose items no schedule can"):
        jobs.schedule("@daily", digest.call(1))
    with pytest.raises(BadTask, match="is a batch task; schedule one that enqueues its items"):
        jobs.cron("@daily")(digest)


def test_a_function_that_needs_arguments_is_refused_with_the_way_out(jobs: Atode) -> None:
    with pytest.raises(BadTask, match=r"its parameter 'month' has no default; .* report\.call"):

        @jobs.cron("0 0 1 * *")
        async def report(pages: int = 1, *, month: str) -> None: ...


def test_computed_calls_need_a_name(jobs: Atode) -> None:
    work = a_task(jobs)

    with pytest.raises(BadOption, match="'@daily' computes its calls, so it needs a name"):
        jobs.schedule("@daily", lambda _: work.call())


def test_what_is_no_call_is_refused_at_once_or_when_it_is_computed(jobs: Atode) -> None:
    with pytest.raises(BadOption, match=r"is to store 5; it must be a call, task\.call"):
        jobs.schedule("@daily", 5, id="five")  # type: ignore[arg-type]

    jobs.schedule("@daily", lambda _: 5, id="five")  # type: ignore[arg-type, return-value]
    with pytest.raises(BadOption, match="the function of schedule 'five' returned 5; it must"):
        the_schedule(jobs).template(0.0)


def test_a_wrong_schedule_is_refused_before_the_function_is_registered(jobs: Atode) -> None:
    with pytest.raises(BadSchedule, match="hour 25 is out of 0 to 23"):
        jobs.cron("0 25 * * *")
    with pytest.raises(BadOption, match="id is ''; it must be a text of 1 to 200 characters"):
        jobs.cron("@daily", id="")

    assert len(jobs.registry) == 0


def test_options_of_the_task_belong_to_the_decorator_that_makes_it(jobs: Atode) -> None:
    with pytest.raises(BadOption, match="queue, timeout: <task 'work'> has its options already"):
        jobs.cron("@daily", queue="low", timeout=1)(a_task(jobs))
    with pytest.raises(DuplicateTask):

        @jobs.cron("@daily", name="work")
        async def another() -> None: ...


# Jobs


def test_a_job_names_its_schedule_and_its_tick(jobs: Atode) -> None:
    jobs.schedule("0 9 * * *", a_task(jobs).call(), timezone="Asia/Tokyo")
    at = instant("2030-06-01T09:00+09:00")

    job = the_schedule(jobs).job(at, at + 0.002)

    assert job.id == tick_id("work", at)
    assert job.headers == {"atode-schedule": "work", "atode-tick": "2030-06-01T09:00:00+09:00"}
    assert (job.state, job.due) == (State.PENDING, 0.0)


def test_jitter_delays_the_job_by_the_same_on_every_worker(jobs: Atode) -> None:
    jobs.schedule("@daily", a_task(jobs).call(), jitter=600)
    at = instant("2030-06-01T00:00+00:00")
    schedule = the_schedule(jobs)

    jobs_of_workers = [schedule.job(at, at + late) for late in (0.0, 0.1)]

    assert len({job.due for job in jobs_of_workers}) == 1
    assert at < jobs_of_workers[0].due < at + 600
    assert schedule.job(at, at + 601).state is State.PENDING
