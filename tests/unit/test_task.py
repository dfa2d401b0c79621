"""Tasks, calls of them, and the options of a call."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from atode import Atode, BadOption, BadTask, Retry, State
from atode.duration import TEN_YEARS
from atode.task import CallOptions, Defaults, SyncTask, Task
from atode.testing import FakeClock

NOW = FakeClock().now()


@pytest.fixture
def jobs() -> Atode:
    return Atode("memory://")


@pytest.fixture
def send(jobs: Atode) -> Task[..., Any]:
    @jobs.task("mail:send")
    async def send(order: int = 1) -> None: ...

    return send


# Defaults


def test_a_call_without_options_becomes_a_job_with_the_tasks_defaults(jobs: Atode) -> None:
    @jobs.task(queue="mail", retry=Retry(3), timeout=timedelta(minutes=2), retention=60)
    def send(order: int) -> None: ...

    job = send.call(7).job(NOW)

    assert job.task == "send"
    assert job.payload == b'{"order":7}'
    assert (job.queue, job.max_retry, job.timeout, job.retention) == ("mail", 3, 120.0, 60.0)
    assert (job.state, job.due, job.deadline, job.headers) == (State.PENDING, 0.0, 0.0, {})


def test_a_result_is_kept_for_an_hour_if_the_function_says_it_returns_one(jobs: Atode) -> None:
    @jobs.task
    def count() -> int:
        return 1

    @jobs.task
    def note() -> None: ...

    @jobs.task
    def silent():  # type: ignore[no-untyped-def]
        ...

    kept = [task.call().job(NOW).retention for task in (count, note, silent)]

    assert kept == [3600.0, 0.0, 0.0]


def test_a_retention_given_with_the_task_wins_over_what_its_annotation_says(jobs: Atode) -> None:
    @jobs.task(retention=0)
    def count() -> int:
        return 1

    @jobs.task(retention=7200)
    def note() -> None: ...

    assert [task.call().job(NOW).retention for task in (count, note)] == [0.0, 7200.0]


def test_a_task_is_named_like_its_function_or_as_told(jobs: Atode) -> None:
    @jobs.task
    def plain() -> None: ...

    @jobs.task("mail:send")
    def named() -> None: ...

    @jobs.task()
    def called() -> None: ...

    assert [task.name for task in (plain, named, called)] == ["plain", "mail:send", "called"]
    assert repr(named) == "<task 'mail:send'>"


async def test_a_plain_call_of_a_task_calls_the_function(jobs: Atode) -> None:
    @jobs.task
    def twice(n: int) -> int:
        return n * 2

    @jobs.task
    async def thrice(n: int) -> int:
        return n * 3

    assert twice(4) == 8
    assert await thrice(4) == 12
    assert not twice.is_async
    assert thrice.is_async


# What cannot be a task


def test_generator_functions_are_refused(jobs: Atode) -> None:
    def numbers() -> Any:
        yield 1

    async def later() -> Any:
        yield 1

    for function in (numbers, later):
        with pytest.raises(BadTask, match="generator function; a task returns once"):
            jobs.task(function)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\ud800", "x" * 201])
def test_names_that_no_store_could_hold_are_refused(jobs: Atode, name: str) -> None:
    with pytest.raises(BadTask, match="must have 1 to 200 printable characters"):
        jobs.task(name)(lambda: None)


def test_a_task_without_an_app_can_be_called_but_not_stored() -> None:
    def seven() -> int:
        return 7

    task = SyncTask[[], int](seven, "seven", Defaults())

    assert task() == 7
    with pytest.raises(BadTask, match="'seven' belongs to no app"):
        task.enqueue_sync()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"queue": ""}, "queue name '' is blank"),
        ({"timeout": -1}, r"timeout is -1 s; it must be from 0 to 315,360,000 s"),
        ({"retention": "1h"}, "retention is '1h'; it must be a number of seconds or a timedelta"),
    ],
)
def test_the_options_of_a_task_are_checked_where_it_is_defined(
    jobs: Atode, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadOption, match=message):
        jobs.task("x", **options)


# Options of a call


def test_the_options_of_a_call_win_over_the_tasks_defaults(send: Task[..., Any]) -> None:
    deadline = datetime.fromtimestamp(NOW + 60, UTC)
    bound = send.options(
        id="first",
        queue="slow",
        max_retry=0,
        timeout=timedelta(seconds=5),
        retention=9,
        deadline=deadline,
        headers={"trace": "あ"},
    )

    job = bound.call().job(NOW)

    assert (job.id, job.queue, job.max_retry) == ("first", "slow", 0)
    assert (job.timeout, job.retention, job.deadline) == (5.0, 9.0, NOW + 60)
    assert job.headers == {"trace": "あ"}


def test_each_job_has_an_id_of_its_own(send: Task[..., Any]) -> None:
    call = send.call()

    assert len({call.job(NOW).id for _ in range(100)}) == 100


@pytest.mark.parametrize("delay", [0.001, 60, timedelta(minutes=1), TEN_YEARS])
def test_a_delayed_call_becomes_a_scheduled_job(send: Task[..., Any], delay: Any) -> None:
    wait = delay.total_seconds() if isinstance(delay, timedelta) else delay

    job = send.options(delay=delay).call().job(NOW)

    assert (job.state, job.due) == (State.SCHEDULED, NOW + wait)


def test_a_delay_of_nothing_means_now(send: Task[..., Any]) -> None:
    job = send.options(delay=0).call().job(NOW)

    assert (job.state, job.due) == (State.PENDING, 0.0)


def test_at_an_instant_to_come_the_job_is_scheduled(send: Task[..., Any]) -> None:
    tokyo = datetime.fromtimestamp(NOW + 60, UTC).astimezone()

    job = send.options(at=tokyo).call().job(NOW)

    assert (job.state, job.due) == (State.SCHEDULED, NOW + 60)


def test_at_an_instant_that_has_passed_means_now(send: Task[..., Any]) -> None:
    job = send.options(at=datetime(1999, 1, 1, tzinfo=UTC)).call().job(NOW)

    assert (job.state, job.due) == (State.PENDING, 0.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delay": -0.5}, "delay is -0.5 s; it must be from 0 to 315,360,000 s"),
        ({"delay": TEN_YEARS + 1}, r"delay is .* s; it must be from 0 to 315,360,000 s"),
        ({"delay": float("nan")}, "delay is nan s; it must be"),
        ({"delay": float("inf")}, "delay is inf s; it must be"),
        ({"delay": 10**400}, "delay is "),
        ({"delay": True}, "delay is True; it must be a number of seconds or a timedelta"),
        ({"delay": "3"}, "delay is '3'; it must be a number of seconds or a timedelta"),
        ({"delay": timedelta(days=-1)}, "delay is -86400 s; it must be"),
        ({"at": datetime(2031, 1, 1)}, "at is .*; it must be a datetime with a time zone"),
        ({"at": 1_900_000_000}, "at is 1900000000; it must be a datetime with a time zone"),
        ({"at": datetime(2999, 1, 1, tzinfo=UTC)}, "at is 2999-01-01.* within ten years from now"),
        ({"at": datetime(2031, 1, 1, tzinfo=UTC), "delay": 1}, "exclude each other; give one"),
        ({"timeout": -1}, "timeout is -1 s; it must be from 0 to"),
        ({"timeout": float("nan")}, "timeout is nan s"),
        ({"retention": -1}, "retention is -1 s; it must be from 0 to"),
        ({"deadline": datetime(2031, 1, 1)}, "deadline is .* with a time zone"),
        ({"deadline": datetime(1970, 1, 1, tzinfo=UTC)}, "deadline is 1970-01-01"),
        ({"deadline": datetime(1950, 1, 1, tzinfo=UTC)}, "deadline is 1950-01-01"),
        ({"max_retry": -1}, "max_retry is -1; it must be a whole number from 0 to 2,147,483,647"),
        ({"max_retry": 2**31}, "max_retry is 2147483648; it must be a whole number"),
        ({"max_retry": 1.5}, "max_retry is 1.5; it must be a whole number"),
        ({"max_retry": True}, "max_retry is True; it must be a whole number"),
        ({"id": ""}, "id is ''; it must be a text of 1 to 200 characters"),
        ({"id": "x" * 201}, "it must be a text of 1 to 200 characters"),
        ({"id": 7}, "id is 7; it must be a text of 1 to 200 characters"),
        ({"id": "a\ud800"}, "id holds a lone surrogate"),
        ({"queue": " "}, "queue name ' ' is blank"),
        ({"queue": "a{b}"}, r"queue name 'a\{b\}' may not contain braces or control characters"),
        ({"queue": "a\n"}, "may not contain braces or control characters"),
        ({"queue": "x" * 201}, "queue name has 201 characters; the limit is 200"),
        ({"queue": 7}, "queue name is 7; it must be a text"),
        ({"headers": {"a": 1}}, "header 'a' is 1; keys and values must be texts"),
        ({"headers": {1: "a"}}, "header 1 is 'a'; keys and values must be texts"),
        ({"headers": {"a": "\udfff"}}, "header 'a' holds a lone surrogate"),
        ({"headers": "a=b"}, "headers is 'a=b'; it must be a mapping of texts to texts"),
    ],
    ids=str,
)
def test_an_option_out_of_its_range_is_refused_with_value_and_limit(
    send: Task[..., Any], options: CallOptions, message: str
) -> None:
    with pytest.raises(BadOption, match=message):
        send.options(**options).call().job(NOW)


def test_an_unknown_option_is_refused_with_the_names_of_those_there_are(
    send: Task[..., Any],
) -> None:
    wrong: Any = {"countdown": 3, "eta": 4}

    with pytest.raises(BadOption, match="no such option: countdown, eta; there are at, deadline"):
        send.options(**wrong)


async def test_nothing_is_stored_when_an_option_is_refused(
    jobs: Atode, send: Task[..., Any]
) -> None:
    with pytest.raises(BadOption):
        await send.options(delay=-1).enqueue()
    with pytest.raises(BadOption):
        await jobs.enqueue_many([send.call(), send.options(delay=-1).call()])

    assert sum((await jobs.broker.counts("default")).values()) == 0
