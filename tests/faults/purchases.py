"""The app whose handlers complete their jobs in transactions of their own, and are killed there."""

import asyncio
import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from atode import Atode, Retry, complete_job, current_job, fixed

_KINDS = {"postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}

jobs = Atode(retry=Retry(5, fixed(0.1)))

_journal = os.open(os.environ["ATODE_TEST_JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
_kind, _, _rest = jobs.url.partition(":")
engine = create_async_engine(f"{_KINDS[_kind]}:{_rest}")


def note(word: str, number: int) -> None:
    """One line that survives the death of this process."""
    os.write(_journal, f"{word} {number} {os.getpid()} 0\n".encode())


@jobs.task
async def buy(number: int, stop_at: str = "") -> None:
    """Takes money once, and is stopped on its first attempt between two lines."""
    job = current_job()
    assert job is not None

    async def stop(place: str) -> None:
        note(place, number)
        if place == stop_at and job.retried == 0:
            await asyncio.sleep(600)

    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO bought VALUES (:n)"), {"n": number})
        await complete_job(transaction=connection)
        await stop("written")
    await stop("committed")


@jobs.task
async def dribble(number: int) -> None:
    """Takes money once, in small steps, for a worker that is killed anywhere."""
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO bought VALUES (:n)"), {"n": number})
        await asyncio.sleep(0.002)
        await complete_job(transaction=connection)
        await asyncio.sleep(0.002)
    note("committed", number)
