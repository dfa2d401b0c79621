"""How many jobs a second each side stores and runs."""

import time
from contextlib import AsyncExitStack

from bench.enqueue import BULK, CALLERS
from bench.stage import stage_on
from bench.store import Store
from bench.versus.score import Aim, Duel, Reached, times
from bench.versus.side import Sender, Side
from bench.worker import CONCURRENCY, serving


async def drain(store: Store, side: Side, jobs: int, *, workers: int = 1) -> Reached:
    """Jobs that so many worker processes run per second, from a backlog stored before.

    Several ones count from when all of them run, if there is something left then.
    """
    numbers = range(jobs)
    async with stage_on(store, jobs=jobs) as stage, side.clerk(stage) as clerk:
        await clerk.store(numbers)
        async with AsyncExitStack() as processes:
            for _ in range(workers):
                command = side.worker(stage)
                await processes.enter_async_context(serving(stage, command, side.is_ready))
            before = stage.board.started(numbers) if workers > 1 else 0
            began = time.time() if 0 < before < jobs else stage.board.first_start
            await stage.all_started(numbers)
            await stage.all_settled(clerk.left)
            seconds = time.time() - (began or stage.board.first_start)
        return Reached((jobs - before % jobs) / seconds, void=stage.board.complaint(numbers))


async def enqueue(store: Store, side: Sender, jobs: int) -> Reached:
    """Jobs that callers store per second, each waiting for its answer before the next."""
    async with stage_on(store, jobs=jobs) as stage:
        reached = await side.enqueue(stage, jobs)
        return Reached(reached, void=await stage.missing(jobs))


async def bulk(store: Store, side: Side, jobs: int) -> Reached:
    """Jobs that one call after the other stores per second."""
    async with stage_on(store, jobs=jobs) as stage, side.clerk(stage) as clerk:
        seconds = await clerk.store(range(jobs))
        left = await clerk.left()
        void = "" if left == jobs else f"{left:,} jobs are stored instead of {jobs:,}"
        return Reached(jobs / seconds, void=void)


def drained(ours: Reached, *theirs: Reached, aim: Aim, workers: str = "one worker") -> Duel:
    """The first figure."""
    return Duel(f"run by {workers}, {CONCURRENCY} slots", "jobs/s", ours, theirs, aim)


def enqueued(ours: Reached, *theirs: Reached) -> Duel:
    """The second figure."""
    return Duel(f"enqueued by {CALLERS} callers at once", "jobs/s", ours, theirs, times(1))


def bulked(ours: Reached, *theirs: Reached, aim: Aim) -> Duel:
    """The third figure."""
    return Duel(f"enqueued in bulk of {BULK:,}", "jobs/s", ours, theirs, aim)
