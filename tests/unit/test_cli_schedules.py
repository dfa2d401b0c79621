"""`atode schedules` on a memory broker."""

import pytest

from atode.definition import Body
from atode.job import Job, State
from atode.schedule import Entry, EntryOptions, Tick
from atode.timetable import IN_CODE, IN_STORE
from atode.timing import Timing
from tests.unit.cli_stage import Stage, staged


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return staged(monkeypatch)


@pytest.fixture
def two(stage: Stage) -> Stage:
    now = stage.clock.now()
    options = EntryOptions("low", 3, 5400.0, 86_400.0, 60.0, ('Group("g")',))
    entries = [
        Entry("weekly", "0 9 * * MON", "report:build", b'{"n":1}', options, now + 3600),
        Entry("tick", "@every 30s", "tick", next=now + 30, prev=now - 5),
    ]
    stage.do(stage.broker.show("s1", entries, lifetime=20))
    return stage


def fire(stage: Stage, count: int) -> None:
    for n in range(count):
        tick = Tick("tick", stage.clock.now(), Job(f"j{n}", "tick", "default", b"{}"))
        stage.do(stage.broker.tick([tick], worker="w1"))
        stage.clock.advance(60)


def test_without_schedulers_it_says_so(stage: Stage) -> None:
    assert stage.says("schedules", "list") == "no scheduler lives\n"
    assert stage.document("schedules", "list")["schedules"] == []


def test_a_line_for_each_schedule_the_next_one_first(two: Stage) -> None:
    heading, first, second = two.says("schedules", "list").splitlines()

    assert heading.split() == ["ID", "SPEC", "TASK", "NEXT", "PREV", "OPTIONS"]
    assert first.startswith("tick    @every 30s   tick          2030-03-17 17:47:10+00:00 (in 30s)")
    assert first.endswith("2030-03-17 17:46:35+00:00 (5s ago)  queue=default")
    assert second.startswith("weekly  0 9 * * MON  report:build  2030-03-17 18:46:40+00:00 (in 1h)")
    assert second.endswith(
        "  -                                   queue=low max_retry=3 timeout=1h30m unique=1m"
        ' retention=1d Group("g")'
    )


def test_the_document_has_stable_keys(two: Stage) -> None:
    first, second = two.document("schedules", "list")["schedules"]

    assert second == {
        "id": "weekly",
        "spec": "0 9 * * MON",
        "task": "report:build",
        "queue": "low",
        "max_retry": 3,
        "timeout_seconds": 5400.0,
        "unique_seconds": 60.0,
        "retention_seconds": 86400.0,
        "other_options": ['Group("g")'],
        "next": "2030-03-17T18:46:40.000Z",
        "prev": None,
        "paused": False,
        "payload": {"n": 1},
        "payload_base64": None,
    }
    assert (first["max_retry"], first["timeout_seconds"]) == (None, None)
    assert first["prev"] == "2030-03-17T17:46:35.000Z"


def test_the_history_lists_jobs_newest_first(two: Stage) -> None:
    fire(two, 3)

    lines = two.says("schedules", "history", "tick", "--limit", "2").splitlines()

    assert [line.split() for line in lines] == [
        ["AT", "JOB"],
        ["2030-03-17", "17:48:40+00:00", "(1m", "ago)", "j2"],
        ["2030-03-17", "17:47:40+00:00", "(2m", "ago)", "j1"],
        ["2", "jobs", "of", "schedule", "tick,", "page", "1"],
    ]
    assert two.document("schedules", "history", "tick", "--limit", "2", "--page", "2") == {
        "schedule": "tick",
        "page": 2,
        "limit": 2,
        "jobs": [{"job": "j0", "at": "2030-03-17T17:46:40.000Z"}],
    }


def test_a_page_past_the_end_is_empty(two: Stage) -> None:
    fire(two, 1)

    text = two.says("schedules", "history", "tick", "--page", "9")

    assert text == "0 jobs of schedule tick, page 9\n"


def test_a_schedule_that_has_not_fired_yet_has_no_jobs(two: Stage) -> None:
    assert two.says("schedules", "history", "weekly") == "0 jobs of schedule weekly, page 1\n"


def test_the_history_outlives_the_scheduler(two: Stage) -> None:
    fire(two, 1)

    assert two.says("schedules", "list") == "no scheduler lives\n"
    assert "j0" in two.says("schedules", "history", "tick")


def test_an_unknown_schedule_is_answered_with_those_that_come_close(two: Stage) -> None:
    error = two.refuses(2, "schedules", "history", "weekyl")
    assert error == "there is no schedule 'weekyl'; did you mean 'weekly'?"

    error = two.refuses(2, "schedules", "history", "xyz")
    assert error == ("there is no schedule 'xyz'; atode schedules list shows those that run")


def test_an_unknown_schedule_where_nothing_runs(stage: Stage) -> None:
    error = stage.refuses(2, "schedules", "history", "weekly")

    assert error == "there is no schedule 'weekly'; no scheduler lives"


@pytest.fixture
def ours(stage: Stage) -> Stage:
    """A schedule in the code of a living worker, and one in the store."""
    now = stage.clock.now()
    in_code = EntryOptions("low", 3, 90.0, others=(IN_CODE,))
    in_store = EntryOptions(others=(IN_STORE,))
    entries = [
        Entry("hourly", "@every 1h", "report", b'{"n":1}', in_code, now + 1200),
        Entry("digest", "CRON_TZ=Asia/Tokyo 0 3 * * *", "mail", b"{}", in_store, now + 800),
    ]
    stage.do(stage.broker.show("s1", entries, lifetime=1e6))
    timing = Timing.of("0 3 * * *", {"timezone": "Asia/Tokyo"})
    body = Body(True, now, timing, Job("", "mail", "default", b"{}"))
    stage.do(stage.broker.define("digest", body.text, version=0))
    return stage


@pytest.mark.parametrize("schedule", ["hourly", "digest"])
def test_schedules_of_code_and_store_can_be_paused_and_resumed(ours: Stage, schedule: str) -> None:
    assert ours.says("schedules", "pause", schedule) == f"schedule {schedule} is paused\n"
    assert ours.says("schedules", "pause", schedule) == f"schedule {schedule} was paused already\n"
    listed = ours.document("schedules", "list")["schedules"]
    assert [each["id"] for each in listed if each["paused"]] == [schedule]
    [line] = [x for x in ours.says("schedules", "list").splitlines() if x.startswith(schedule)]
    assert "  paused  " in line

    assert ours.says("schedules", "resume", schedule) == f"schedule {schedule} fires again\n"
    assert ours.says("schedules", "resume", schedule) == f"schedule {schedule} was not paused\n"


def test_a_schedule_of_another_kind_of_scheduler_is_not_pretended_to_be_paused(two: Stage) -> None:
    error = two.refuses(2, "schedules", "pause", "weekly")

    assert error == (
        "schedule 'weekly' is run by a scheduler of another kind, such as Go's, which atode cannot "
        "tell anything; go to its program"
    )


def test_a_mistyped_schedule_is_not_paused(ours: Stage) -> None:
    error = ours.refuses(2, "schedules", "pause", "hourl")

    assert error == "there is no schedule 'hourl'; did you mean 'hourly'?"


def test_the_next_fires_of_all_and_of_one(ours: Stage) -> None:
    lines = ours.says("schedules", "next", "-n", "3").splitlines()

    assert [line.split() for line in lines] == [
        ["AT", "ID"],
        ["2030-03-17", "18:00:00+00:00", "(in", "13m", "20s)", "digest"],
        ["2030-03-17", "18:00:00+00:00", "(in", "13m", "20s)", "hourly"],
        ["2030-03-17", "19:00:00+00:00", "(in", "1h", "13m)", "hourly"],
    ]
    fires = ours.document("schedules", "next", "digest", "--number", "2")["fires"]
    assert fires == [
        {"schedule": "digest", "at": "2030-03-17T18:00:00.000Z"},
        {"schedule": "digest", "at": "2030-03-18T18:00:00.000Z"},
    ]
    ours.says("schedules", "pause", "digest")
    assert ours.says("schedules", "next", "digest") == "nothing will fire\n"


def test_a_schedule_can_be_run_now(ours: Stage) -> None:
    said = ours.says("schedules", "run", "hourly")

    [job] = ours.do(ours.broker.find("low", State.PENDING))
    assert said == f"job {job.id} is stored in queue low\n"
    assert (job.task, job.payload, job.max_retry, job.timeout) == ("report", b'{"n":1}', 3, 90.0)
    assert job.headers == {"atode-schedule": "hourly"}
    assert ours.document("schedules", "list")["schedules"][1]["next"] == "2030-03-17T18:06:40.000Z"


def test_a_schedule_of_the_store_can_be_removed_and_one_of_code_cannot(ours: Stage) -> None:
    assert ours.refuses(1, "schedules", "remove", "digest", typed="n\n") == "nothing was changed"
    assert ours.says("schedules", "remove", "digest", "--yes") == "schedule digest is removed\n"
    error = ours.refuses(2, "schedules", "remove", "digest", "--yes")
    assert error == "the store defines no schedule 'digest'"

    error = ours.refuses(1, "schedules", "remove", "hourly", "--yes")
    assert error == "schedule 'hourly' is defined in code; atode schedules pause stops it"
