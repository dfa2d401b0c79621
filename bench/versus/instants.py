"""How soon jobs start, across processes."""

from collections.abc import Mapping, Sequence

from bench.figure import percentile
from bench.latency import waits
from bench.lateness import instants
from bench.stage import Stage, stage_on
from bench.store import Store
from bench.versus.score import Duel, Reached, at_least, below
from bench.versus.side import Sender
from bench.worker import serving

Waits = tuple[list[float], str]
"""Milliseconds, and what is wrong with the delivery."""


async def idle(store: Store, sender: Sender, runner: Sender, jobs: int) -> Waits:
    """From just before each enqueue to the handler's start, in a worker that is idle."""
    async with stage_on(store, jobs=jobs) as stage, serving(stage, runner.worker(stage)):
        return await _waits(stage, sender, range(jobs))


async def delayed(store: Store, side: Sender, jobs: int) -> Waits:
    """From each job's instant to the handler's start."""
    async with stage_on(store, jobs=jobs) as stage, serving(stage, side.worker(stage)):
        due = instants(range(jobs))
        await side.delay(stage, due)
        return await waits(stage, due), stage.board.complaint(range(jobs))


async def _waits(stage: Stage, sender: Sender, numbers: range) -> Waits:
    waited = await waits(stage, await sender.pace(stage, numbers))
    return waited, stage.board.complaint(numbers)


def soon(
    name: str, ours: Waits | Reached, *theirs: Waits | Reached, most_at: Mapping[int, float]
) -> Sequence[Duel]:
    """The idle latency at so many per cent, each with the most milliseconds that are wanted."""
    return [
        Duel(
            f"{name} p{percent}",
            "ms",
            _at(ours, percent),
            [_at(side, percent) for side in theirs],
            below(most),
        )
        for percent, most in most_at.items()
    ]


def late(ours: Waits, theirs: Waits | Reached) -> Sequence[Duel]:
    """The lateness's three figures; the least one says whether a job came early."""
    name = "delayed job's lateness"
    return [
        Duel(f"{name} min", "ms", _at(ours, 0), [_at(theirs, 0)], at_least(0)),
        Duel(f"{name} p50", "ms", _at(ours, 50), [_at(theirs, 50)], below(3)),
        Duel(f"{name} p99", "ms", _at(ours, 99), [_at(theirs, 99)], below(10)),
    ]


def _at(side: Waits | Reached, percent: float) -> Reached:
    if isinstance(side, Reached):
        return side
    values, void = side
    return Reached(percentile(values, percent), void=void)
