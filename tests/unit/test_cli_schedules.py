"""`atode schedules` on a memory broker."""

import pytest

from atode.job import Job
from atode.schedule import Entry, EntryOptions, Tick
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
