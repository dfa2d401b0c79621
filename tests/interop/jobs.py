"""The Python side's app; the Go side has the same tasks in go/serve.go."""

import asyncio
import base64
import json
import os
import time

from pydantic import BaseModel

from atode import Atode, Permanent, Retry, current_job, fixed

# A job that fails here stays where it is, to be looked at.
jobs = Atode(retry=Retry(25, fixed(3600)))

payments = jobs.semaphore("payments", limit=3)

_journal = os.open(os.environ["ATODE_TEST_JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


class Order(BaseModel):
    sku: str
    count: int


def note(word: str, detail: str = "") -> None:
    """One line that survives the death of this process: appended in a single write."""
    job = current_job()
    assert job
    entry = {
        "side": "python",
        "word": word,
        "task": job.task,
        "id": job.id,
        "queue": job.queue,
        "payload": base64.b64encode(job.payload).decode(),
        "headers": dict(job.headers),
        "retried": job.retried,
        "max_retry": job.max_retry,
        "deadline": job.deadline,
        "pid": os.getpid(),
        "at": time.time(),
        "detail": detail,
    }
    os.write(_journal, f"{json.dumps(entry)}\n".encode())


@jobs.task
async def work(number: int = 0) -> None:
    note("start")
    note("end")


@jobs.task
async def rest(seconds: float) -> None:
    note("start")
    await asyncio.sleep(seconds)
    note("end")


@jobs.task(timeout=600)
async def guarded(seconds: float) -> None:
    async with payments.slot(or_snooze=0.05):
        note("enter")
        await asyncio.sleep(seconds)
        note("leave")


@jobs.task
async def ship(order: Order, express: bool = False) -> None:
    note("start")
    note("end", f"{order.count} of {order.sku}, express {str(express).lower()}")


@jobs.task
async def swallow(payload: bytes) -> None:
    note("start")
    note("end", payload.hex())


@jobs.task
async def fail(text: str) -> None:
    note("start")
    raise ValueError(text)


@jobs.task
async def refuse(text: str) -> None:
    note("start")
    raise Permanent(text)


@jobs.task
async def garble(text: str) -> None:
    note("start")
    # What is not UTF-8 comes out of Python's file names and environment like this.
    raise ValueError(text.encode("utf-16").decode("utf-8", "surrogateescape"))


@jobs.task
async def greet(name: str) -> str:
    note("start")
    note("end")
    return f"Hello, {name}"


@jobs.batch(max_size=50, max_delay=600, grace=1)
async def bundle(items: list[int]) -> None:
    note("start")
    note("end")
