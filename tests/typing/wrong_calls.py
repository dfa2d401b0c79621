"""Mistakes that a type checker must find. Each `type: ignore` here is needed, or mypy says so."""

from datetime import datetime, timedelta

from atode import Atode, Call, JobHandle, Retry, complete_job, complete_job_sync
from atode.task import AsyncTask, SyncTask

jobs = Atode("memory://")


@jobs.task
async def send(order_id: int, note: str = "") -> str:
    return f"{order_id}{note}"


@jobs.task
def build(month: str) -> int:
    return len(month)


@jobs.batch
async def digest(items: list[int]) -> None: ...


@jobs.batch("count", max_size=5)
def count(words: list[str]) -> int:
    return len(words)


@jobs.batch  # type: ignore[arg-type]
async def scalar(item: int) -> None: ...


@jobs.batch(grace=1)  # type: ignore[arg-type]
def pair(items: list[int], more: str) -> None: ...


async def mistakes() -> None:
    await send.enqueue("42")  # type: ignore[arg-type]
    await send.enqueue()  # type: ignore[call-arg]
    await send.enqueue(1, "a", 3)  # type: ignore[call-arg]
    await send.enqueue(order=1)  # type: ignore[call-arg]
    await send.enqueue(1, delay=60)  # type: ignore[call-arg]
    send.enqueue_sync(None)  # type: ignore[arg-type]
    send.call("42")  # type: ignore[arg-type]
    build.call(5)  # type: ignore[arg-type]
    build(5)  # type: ignore[arg-type]
    await send("42")  # type: ignore[arg-type]

    send.options(countdown=60)  # type: ignore[call-arg]
    send.options(delay="60")  # type: ignore[arg-type]
    send.options(at=1_900_000_000)  # type: ignore[arg-type]
    send.options(deadline=timedelta(1))  # type: ignore[arg-type]
    send.options(max_retry="3")  # type: ignore[arg-type]
    send.options(id=7)  # type: ignore[arg-type]
    send.options(headers={"a": 1})  # type: ignore[dict-item]
    send.options(queue=None)  # type: ignore[arg-type]
    await send.options(delay=1).enqueue("42")  # type: ignore[arg-type]
    send.options(delay=1).call()  # type: ignore[call-arg]

    _number: JobHandle[int] = await send.enqueue(1)  # type: ignore[assignment]
    _text: str = await (await build.enqueue("May")).result()  # type: ignore[assignment]
    _call: Call[int] = send.call(1)  # type: ignore[assignment]
    _thread: SyncTask[..., str] = send  # type: ignore[assignment]
    _loop: AsyncTask[..., int] = build  # type: ignore[assignment]
    await jobs.enqueue_many([send])  # type: ignore[list-item]
    await jobs.enqueue(send)  # type: ignore[arg-type]

    jobs.task("x", retries=3)  # type: ignore[call-overload]
    jobs.task("x", retry=3)  # type: ignore[call-overload]
    jobs.task("x", timeout="1h")  # type: ignore[call-overload]
    jobs.worker(concurrency="many")  # type: ignore[arg-type]
    Retry(3, 10)  # type: ignore[arg-type]
    Retry(3, give_up_on=ValueError)  # type: ignore[arg-type]
    await jobs.get(datetime)  # type: ignore[arg-type]

    await digest.enqueue("x")  # type: ignore[arg-type]
    await digest.enqueue([1, 2])  # type: ignore[arg-type]
    await digest.enqueue(1, 2)  # type: ignore[call-arg]
    await digest.enqueue()  # type: ignore[call-arg]
    count.enqueue_sync(7)  # type: ignore[arg-type]
    count.call(["x"])  # type: ignore[arg-type]
    count("x", "y")  # type: ignore[call-arg]
    count(["x", 1])  # type: ignore[list-item]
    await digest(1)  # type: ignore[arg-type]
    digest.options(key=7)  # type: ignore[arg-type]
    digest.options(timeout=5)  # type: ignore[call-arg]
    send.options(key="x")  # type: ignore[call-arg]
    await digest.options(key="x").enqueue("x")  # type: ignore[arg-type]
    _digest: JobHandle[int] = await digest.enqueue(1)  # type: ignore[assignment]
    await complete_job("sent")  # type: ignore[call-overload]
    complete_job_sync(result="sent", transaction=None)  # type: ignore[call-overload]
    _sent: int = await complete_job("sent", transaction=None)  # type: ignore[arg-type]
    jobs.batch("x", max_size="100")  # type: ignore[call-overload]
    jobs.batch("x", size=100)  # type: ignore[call-overload]
    jobs.batch("x", grace=None)  # type: ignore[call-overload]


jobs.cron("@daily", colour="blue")  # type: ignore[call-arg]
jobs.cron("@daily", overlap="perhaps")  # type: ignore[arg-type]
jobs.cron(5)  # type: ignore[arg-type]
jobs.schedule("@daily", build)  # type: ignore[arg-type]
jobs.schedule("@daily", build.call("2026-01"), queue="low")  # type: ignore[call-arg]
jobs.schedule("@daily", 5, id="x")  # type: ignore[arg-type]


async def wrong_schedules() -> None:
    await jobs.schedules.add("x", "@daily", build.call(5))  # type: ignore[arg-type]
    await jobs.schedules.change("x", jitter="1s")  # type: ignore[arg-type]
    await jobs.schedules.next("20")  # type: ignore[arg-type]
