"""Jobs per second that one producer process stores."""

import asyncio
from collections.abc import Coroutine
from time import perf_counter
from typing import Any

from bench.figure import Figure
from bench.tasks import Tasks

CALLERS = 100
BULK = 1000


async def enqueue(tasks: Tasks, jobs: int) -> list[Figure]:
    """Store the jobs 0 to `jobs` - 1: a twentieth one by one, a quarter by callers, then bulk."""
    singly = jobs // 20
    by_callers = jobs // 4
    return [
        await _rate("enqueued one by one", _one_by_one(tasks, range(singly))),
        await _rate(
            f"enqueued by {CALLERS} callers at once",
            _by_callers(tasks, range(singly, singly + by_callers)),
        ),
        await _rate(
            f"enqueued in bulk of {BULK:,}", _in_bulk(tasks, range(singly + by_callers, jobs))
        ),
    ]


async def _rate(name: str, store: Coroutine[Any, Any, int]) -> Figure:
    began = perf_counter()
    stored = await store
    return Figure(name, "jobs/s", stored / (perf_counter() - began))


async def _one_by_one(tasks: Tasks, numbers: range) -> int:
    for number in numbers:
        await tasks.count.enqueue(number)
    return len(numbers)


async def _by_callers(tasks: Tasks, numbers: range) -> int:
    async with asyncio.TaskGroup() as callers:
        for first in range(CALLERS):
            callers.create_task(_one_by_one(tasks, numbers[first::CALLERS]))
    return len(numbers)


async def _in_bulk(tasks: Tasks, numbers: range) -> int:
    call = tasks.count.call
    for first in range(0, len(numbers), BULK):
        await tasks.jobs.enqueue_many(call(number) for number in numbers[first : first + BULK])
    return len(numbers)
