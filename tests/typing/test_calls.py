"""What a type checker sees of tasks, calls and results. mypy and pyright check this file; that
it runs, too, proves that the values are what they are said to be."""

from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, assert_type

import pytest

from atode import (
    Atode,
    BatchTask,
    Call,
    Job,
    JobHandle,
    Misused,
    Retry,
    ScheduleInfo,
    Semaphore,
    State,
    complete_job,
    complete_job_sync,
    current_job,
    exponential,
    fixed,
)
from atode.batch import AsyncBatchTask, SyncBatchTask
from atode.task import AsyncTask, BoundTask, SyncTask

jobs = Atode("memory://")


@jobs.task
async def send_receipt(order_id: int, note: str = "") -> str:
    return f"{order_id}{note}"


@jobs.task("report:build", retry=Retry(5, exponential(1)), timeout=timedelta(minutes=10))
def build_report(month: str, *, pages: int = 1) -> int:
    return len(month) * pages


@jobs.task()
def clean_up() -> None: ...


@jobs.task(queue="raw", retention=60)
async def receive(payload: bytes) -> dict[str, list[int]]:
    return {"sizes": [len(payload)]}


@jobs.batch(max_size=100, max_delay=timedelta(seconds=10), grace=2)
async def digest(items: list[int]) -> None: ...


@jobs.batch("mail:count", queue="mail", retry=Retry(3), timeout=60, retention=60, max_delay=None)
def count(words: Sequence[str]) -> int:
    return len(words)


@jobs.batch
async def collect(days: list[datetime]) -> str:
    return f"{len(days)} days"


@jobs.batch
def drop(rows: list[dict[str, int]]) -> None: ...


@jobs.cron("0 9 * * MON", timezone="Asia/Tokyo", overlap="skip", queue="mail", timeout=60)
async def weekly(pages: int = 1) -> str:
    return "x" * pages


@jobs.cron("@daily", id="at night")
@jobs.cron("@hourly", id="by day", jitter=timedelta(minutes=1), catch_up="all", catch_up_limit=5)
@jobs.task(queue="low")
def pulse() -> int:
    return 1


jobs.schedule("0 0 1 * *", lambda tick: build_report.call(f"{tick:%Y-%m}"), id="monthly")
jobs.schedule("0 2 * * *", build_report.options(queue="low").call("2026-01"), enabled=False)


async def test_a_scheduled_function_is_the_task_that_it_would_be() -> None:
    of_async: AsyncTask[..., str] = weekly
    of_sync: SyncTask[[], int] = pulse
    info = await jobs.schedules.get("at night")

    assert_type(pulse(), int)
    assert_type(await weekly(2), str)
    assert_type(info, ScheduleInfo | None)
    assert [of_async.name, of_sync.name] == ["weekly", "pulse"]
    assert info
    assert info.task == "pulse"


def test_a_task_has_the_parameters_and_the_result_of_its_function() -> None:
    # pyright shows parameters with their names, mypy without: hence by assignment.
    of_async: AsyncTask[..., str] = send_receipt
    of_sync: SyncTask[..., int] = build_report
    of_nothing: SyncTask[[], None] = clean_up

    assert (of_async.name, of_sync.name, of_nothing.name) == (
        "send_receipt",
        "report:build",
        "clean_up",
    )


async def test_a_plain_call_is_a_call_of_the_function() -> None:
    coming: Coroutine[Any, Any, str] = send_receipt(42)

    assert_type(await coming, str)
    assert_type(build_report("May", pages=2), int)
    assert_type(await receive(b"x"), dict[str, list[int]])


async def test_a_handle_knows_the_type_of_the_result() -> None:
    receipt = await send_receipt.enqueue(42, note="x")
    report = await build_report.enqueue("May", pages=3)
    nothing = await clean_up.enqueue()

    assert_type(receipt, JobHandle[str])
    assert_type(report, JobHandle[int])
    assert_type(nothing, JobHandle[None])
    assert_type(await receipt.job(), Job | None)
    with pytest.raises(TimeoutError):
        assert_type(await receipt.result(timeout=0), str)
    with pytest.raises(TimeoutError):
        assert_type(await report.result(timeout=timedelta()), int)


async def test_options_keep_the_types() -> None:
    bound = send_receipt.options(
        delay=timedelta(minutes=3), queue="mail", max_retry=3, headers={"trace": "1"}
    )
    untyped: BoundTask[..., str] = bound

    assert_type(await bound.enqueue(42), JobHandle[str])
    assert_type(bound.call(42), Call[str])
    assert_type(
        await build_report.options(at=datetime.now(UTC), timeout=5, id="a").enqueue("May"),
        JobHandle[int],
    )
    assert untyped is bound


def test_calls_without_a_loop_have_the_same_types() -> None:
    assert_type(send_receipt.enqueue_sync(42), JobHandle[str])
    assert_type(build_report.options(retention=60).enqueue_sync("May"), JobHandle[int])


async def test_calls_are_values_that_know_their_result() -> None:
    call = send_receipt.call(42)
    assert_type(call, Call[str])

    assert_type(await jobs.enqueue(call), JobHandle[str])
    assert_type(
        await jobs.enqueue_many(send_receipt.call(n) for n in range(3)), list[JobHandle[Any]]
    )
    mixed = [send_receipt.call(1), build_report.call("May")]
    assert len(await jobs.enqueue_many(mixed)) == 2


def test_a_batch_task_knows_what_its_items_are() -> None:
    assert_type(digest, AsyncBatchTask[int, None])
    assert_type(count, SyncBatchTask[str, int])
    assert_type(collect, AsyncBatchTask[datetime, str])
    assert_type(drop, SyncBatchTask[dict[str, int], None])
    tasks: list[BatchTask[Any, Any]] = [digest, count, collect, drop]
    assert [task.name for task in tasks] == ["digest", "mail:count", "collect", "drop"]


async def test_a_batch_task_takes_one_item_and_its_function_many() -> None:
    assert_type(await digest.enqueue(7), JobHandle[None])
    assert_type(count.enqueue_sync("word"), JobHandle[None])
    assert_type(collect.call(datetime.now(UTC)), Call[None])
    assert_type(count(["one", "two"]), int)
    coming: Coroutine[Any, Any, str] = collect([datetime.now(UTC)])
    assert_type(await coming, str)
    assert_type(await digest([7, 8]), None)


async def test_options_of_an_item_keep_its_type() -> None:
    bound = digest.options(
        key="user:7", delay=60, queue="low", unique_for=60, id="d1", headers={"trace": "1"}
    )
    assert_type(await bound.enqueue(7), JobHandle[None])
    assert_type(count.options(key="k", at=datetime.now(UTC)).enqueue_sync("x"), JobHandle[None])
    mixed = [digest.call(1), count.options(key="k").call("x")]
    assert len(await jobs.enqueue_many(mixed)) == 2


async def test_completing_gives_back_the_result_with_its_type() -> None:
    with pytest.raises(Misused):
        assert_type(await complete_job("sent", transaction=object()), str)
    with pytest.raises(Misused):
        assert_type(await complete_job(transaction=object()), None)
    with pytest.raises(Misused):
        assert_type(complete_job_sync([1], transaction=object()), list[int])
    with pytest.raises(Misused):
        assert_type(complete_job_sync(transaction=object()), None)


async def test_the_rest_of_the_surface() -> None:
    assert_type(current_job(), Job | None)
    assert_type(await jobs.get("x"), Job | None)
    assert_type(fixed(1)(0), float)
    assert_type(State("pending"), State)
    assert_type(jobs.semaphore("payments", limit=5), Semaphore)
