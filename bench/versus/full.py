"""How fast claims are in a store that is full."""

import time
from collections.abc import Sequence

from atode.job import Job, State, new_id
from atode.transfer import Moved, Stamp
from bench.enqueue import in_bulk
from bench.stage import QUEUE, Stage, stage_on
from bench.store import Store
from bench.versus.scale import FEW, claim_rates
from bench.versus.score import Duel, Reached, at_least

_AT_ONCE = 500
"""As many as a store receives in one call."""

_KEPT_FOR = 86_400.0


async def claims(store: Store, many: int, absent: Sequence[Reached]) -> Sequence[Duel]:
    """With `many` finished jobs, then with as many waiting ones besides, each in per cent of the
    claim rate of a store with ten thousand waiting jobs and nothing else."""
    async with stage_on(store, jobs=1) as empty, stage_on(store, jobs=1) as full:
        await _wait_in(empty, FEW)
        await _wait_in(full, FEW)
        await _finish_in(full, many)
        few = empty.tasks.jobs.broker, QUEUE
        whole = full.tasks.jobs.broker, QUEUE
        finished = await claim_rates(few, whole)
        await _wait_in(full, many)
        both = await claim_rates(few, whole)
    return [
        Duel(f"claim rate, {many:,} finished and kept", "%", finished, absent, at_least(85)),
        Duel(f"claim rate, {many:,} waiting besides", "%", both, absent, at_least(85)),
    ]


async def _wait_in(stage: Stage, jobs: int) -> None:
    await in_bulk(stage.tasks, range(jobs))


async def _finish_in(stage: Stage, jobs: int) -> None:
    # As if they came from another store: to run them would take minutes.
    broker = stage.tasks.jobs.broker
    now = time.time()
    await broker.start_receiving(QUEUE, mover="bench", given=None, paused=False)
    for first in range(0, jobs, _AT_ONCE):
        moved = [Moved(_finished(now)) for _ in range(min(_AT_ONCE, jobs - first))]
        await broker.receive(QUEUE, moved, stamp=Stamp("bench", first))
    await broker.finish_moving(QUEUE, mover="bench")


def _finished(now: float) -> Job:
    return Job(
        new_id(),
        "count",
        QUEUE,
        b'{"number":0}',
        State.COMPLETED,
        retention=_KEPT_FOR,
        completed_at=now,
        result=b"null",
    )
