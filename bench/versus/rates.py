"""How many jobs a second each side stores and runs."""

import time

from bench.enqueue import BULK, CALLERS, in_bulk, rate
from bench.stage import stage_on
from bench.store import Store
from bench.versus.score import Duel, Reached, at_least, times
from bench.versus.side import Side
from bench.worker import serving


async def drain(store: Store, side: Side, jobs: int) -> Reached:
    """Jobs that one worker runs per second, from a backlog that our client stored."""
    async with stage_on(store, jobs=jobs) as stage:
        await in_bulk(stage.tasks, range(jobs))
        async with serving(stage, side.worker(stage)):
            await stage.all_started(range(jobs))
            await stage.all_settled()
            seconds = time.time() - stage.board.first_start
        return Reached(jobs / seconds, void=stage.board.complaint(range(jobs)))


async def enqueue(store: Store, side: Side, jobs: int) -> Reached:
    """Jobs that callers store per second, each waiting for its answer before the next."""
    async with stage_on(store, jobs=jobs) as stage:
        reached = await side.enqueue(stage, jobs)
        return Reached(reached, void=await stage.missing(jobs))


async def bulk(store: Store, jobs: int) -> Duel:
    """Jobs that one call after the other stores per second; asynq has no such call."""
    async with stage_on(store, jobs=jobs) as stage:
        reached = (await rate("", in_bulk(stage.tasks, range(jobs)))).value
        ours = Reached(reached, void=await stage.missing(jobs))
    name = f"enqueued in bulk of {BULK:,}"
    return Duel(name, "jobs/s", ours, Reached(absent="no such call"), at_least(100_000))


def drained(ours: Reached, theirs: Reached) -> Duel:
    """The first figure."""
    return Duel("run by one worker, 100 slots", "jobs/s", ours, theirs, times(3.5))


def enqueued(ours: Reached, theirs: Reached) -> Duel:
    """The second figure."""
    return Duel(f"enqueued by {CALLERS} callers at once", "jobs/s", ours, theirs, times(1))
