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
    together = jobs // 4
    return [
        await rate("enqueued one by one", _one_by_one(tasks, range(singly))),
        await rate(
            f"enqueued by {CALLERS} callers at once",
            by_callers(tasks, range(singly, singly + together)),
        ),
        await rate(f"enqueued in bulk of {BULK:,}", in_bulk(tasks, range(singly + together, jobs))),
    ]


async def rate(name: str, store: Coroutine[Any, Any, int]) -> Figure:
    """How many jobs a second `store` stores; it says how many there were."""
    began = perf_counter()
    stored = await store
    return Figure(name, "jobs/s", stored / (perf_counter() - began))


async def _one_by_one(tasks: Tasks, numbers: range) -> int:
    for number in numbers:
        await tasks.count.enqueue(number)
    return len(numbers)


async def by_callers(tasks: Tasks, numbers: range) -> int:
    """Store the jobs of these numbers from many coroutines at once; how many that were."""
    async with asyncio.TaskGroup() as callers:
        for first in range(CALLERS):
            callers.create_task(_one_by_one(tasks, numbers[first::CALLERS]))
    return len(numbers)


async def in_bulk(tasks: Tasks, numbers: range) -> int:
    """Store the jobs of these numbers, many in each call; how many that were."""
    call = tasks.count.call
    for first in range(0, len(numbers), BULK):
        await tasks.jobs.enqueue_many(call(number) for number in numbers[first : first + BULK])
    return len(numbers)
