"""The two tasks that are measured: neither does anything but mark its start on a board."""

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

    return Tasks(jobs, count, stamp)
