"""The tasks that are measured: they mark their start on a board, and one then sleeps."""

import asyncio
from dataclasses import dataclass

from atode import Atode
from atode.task import AsyncTask
from bench.board import Board


@dataclass(frozen=True, slots=True)
class Tasks:
    """An app and its tasks."""

    jobs: Atode
    count: AsyncTask[[int], None]
    stamp: AsyncTask[[int], None]
    nap: AsyncTask[[int, float], None]


def tasks_on(url: str | None, board: Board) -> Tasks:
    """The tasks in the store at `url` (None: at `ATODE_URL`), marking on `board`.

    Retries, timeout and queue are the library's defaults.
    """
    jobs = Atode(url)

    @jobs.task
    async def count(number: int) -> None:
        board.count(number)

    @jobs.task
    async def stamp(number: int) -> None:
        board.stamp(number)

    @jobs.task
    async def nap(number: int, seconds: float) -> None:
        board.stamp(number)
        await asyncio.sleep(seconds)

    return Tasks(jobs, count, stamp, nap)
