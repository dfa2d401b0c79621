"""What is stored of schedules, as text."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from atode.definition import Body, is_paused, merged
from atode.errors import BadOption
from atode.job import Job, State, fingerprint
from atode.schedule import Definition
from atode.timetable import Schedule
from atode.timing import Timing

TIMING = Timing.of(
    "0 9 * * MON", {"timezone": "Asia/Tokyo", "overlap": "skip", "jitter": 5, "grace": 10}
)
JOB = Job(
    "",
    "report:作る",
    "low",
    b"\xff\x00",
    due=30.0,
    max_retry=2,
    timeout=5.5,
    retention=60.0,
    headers={"trace": "a"},
    unique=fingerprint("report:作る", b"\xff\x00"),
    unique_for=10.0,
)


def defined(schedule: str, text: str, version: int = 1) -> Definition:
    return Definition(schedule, version, text)


def in_code(schedule: str) -> Schedule:
    return Schedule(schedule, TIMING, lambda at: JOB)


def test_a_definition_comes_back_whole() -> None:
    body = Body(False, 17.25, TIMING, JOB)

    assert Body.read(body.text) == body


def test_a_switch_says_no_more_than_whether_a_schedule_fires() -> None:
    assert json.loads(Body(False).text) == {"enabled": False, "since": 0.0}
    assert is_paused(defined("a", Body(False).text))
    assert not is_paused(defined("a", Body(True).text))


def test_a_stored_schedule_makes_its_jobs_of_what_is_stored() -> None:
    definition = defined("weekly", Body(True, 17.0, TIMING, JOB).text, version=7)

    [schedule] = merged([], [definition]).schedules

    assert (schedule.id, schedule.version, schedule.since) == ("weekly", 7, 17.0)
    assert not schedule.in_code
    job = schedule.job(1000.0, 1000.0)
    assert job.payload == JOB.payload
    assert job.state is State.SCHEDULED
    assert 1030 <= job.due < 1035
    assert job.headers["trace"] == "a"


def test_the_store_switches_schedules_of_the_code_and_defines_none_of_them() -> None:
    other = Timing.of("@hourly", {})
    stored = [
        defined("a", Body(False).text),
        defined("b", Body(False, 5.0, other, JOB).text),
        defined("of another program", Body(False).text),
    ]

    known = merged([in_code("a"), in_code("b"), in_code("c")], stored)

    assert [(each.id, each.enabled, each.since) for each in known.schedules] == [
        ("a", False, 0.0),
        ("b", False, 5.0),
        ("c", True, 0.0),
    ]
    assert {each.timing for each in known.schedules} == {TIMING}
    assert all(each.in_code for each in known.schedules)


def test_names_of_a_newer_program_are_passed_over() -> None:
    body = Body(True, 1.0, TIMING, JOB)
    fields = json.loads(body.text) | {"colour": "blue"}
    fields["job"]["size"] = 3

    assert Body.read(json.dumps(fields)) == body


def without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda fields: fields.pop(name)


def put(*path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(fields: dict[str, Any]) -> None:
        for name in path[:-1]:
            fields = fields[name]
        fields[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "spoil",
    [
        without("enabled"),
        without("timing"),
        without("job"),
        put("since", value="now"),
        put("cron", value="61 * * * *"),
        put("cron", value=None),
        put("timing", "catch_up", value="some"),
        put("timing", value=[1]),
        put("job", value="x"),
        put("job", "payload", value="?"),
        put("job", "queue", value=None),
        put("job", "max_retry", value="many"),
        put("job", "headers", value=5),
    ],
)
def test_a_definition_that_makes_no_sense_is_reported_and_the_others_count(
    spoil: Callable[[dict[str, Any]], None],
) -> None:
    fields = json.loads(Body(True, 1.0, TIMING, JOB).text)
    spoil(fields)

    known = merged(
        [in_code("a")],
        [defined("broken", json.dumps(fields)), defined("b", Body(True, 1.0, TIMING, JOB).text)],
    )

    assert [each.id for each in known.schedules] == ["a", "b"]
    [problem] = known.unreadable
    assert problem.id == "broken"
    assert isinstance(problem.error, BadOption)


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "5", '{"enabled": true}', "null"])
def test_any_text_may_be_stored_and_harms_nobody(text: str) -> None:
    assert len(merged([], [defined("a", text)]).unreadable) == 1
    assert not is_paused(defined("a", text))
