"""The app whose worker the fault tests kill, stop and starve; its handlers keep a journal."""

import asyncio
import os
import time

from atode import Atode, Retry, current_job, fixed

jobs = Atode(retry=Retry(5, fixed(0.1)))

_journal = os.open(os.environ["ATODE_TEST_JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def note(word: str, number: int) -> None:
    """One line that survives the death of this process: appended in a single write."""
    os.write(_journal, f"{word} {number} {os.getpid()} {time.time():.6f}\n".encode())


@jobs.task
async def work(number: int, seconds: float = 0.0) -> None:
    note("start", number)
    await asyncio.sleep(seconds)
    note("end", number)


@jobs.task
async def linger(number: int) -> None:
    """Runs until its worker is killed, and ends at once when it runs again."""
    note("start", number)
    job = current_job()
    assert job
    if not job.retried:
        await asyncio.sleep(3600)
    note("end", number)


@jobs.task
async def block_loop(number: int, seconds: float) -> None:
    note("start", number)
    time.sleep(seconds)  # noqa: ASYNC251 - blocking the event loop is the point
    note("end", number)


@jobs.task
async def compute(number: int, seconds: float) -> None:
    note("start", number)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(10_000))
    note("end", number)


@jobs.task
def block_thread(number: int, seconds: float) -> None:
    note("start", number)
    time.sleep(seconds)
    note("end", number)


@jobs.task
async def die(number: int) -> None:
    note("start", number)
    os._exit(9)


@jobs.batch(max_size=5, max_delay=2, grace=1, timeout=60)
async def gather(items: list[int]) -> None:
    job = current_job()
    assert job
    for item in items:
        note(f"in:{job.id}", item)
    await asyncio.sleep(0.05)
    for item in items:
        note("end", item)
