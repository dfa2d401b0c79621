"""How soon an idle worker starts a job: from just before `enqueue` to the handler's start."""

import asyncio
import time
from collections.abc import Mapping

from bench.figure import Figure, percentile
from bench.stage import Stage

EVERY = 0.02
"""Seconds. An open loop: the next job comes at its time, whether or not the last one has run."""


async def latency(stage: Stage, numbers: range) -> list[Figure]:
    """Send the jobs of these numbers one at a time. Both processes read the same wall clock."""
    waited = await waits(stage, await pace(stage, numbers))
    void = stage.board.complaint(numbers)
    return [
        Figure(f"idle latency p{percent}", "ms", percentile(waited, percent), void)
        for percent in (50, 99)
    ]


async def pace(stage: Stage, numbers: range) -> Mapping[int, float]:
    """Store the jobs one at a time; the instant just before each, by number."""
    sent: dict[int, float] = {}
    first = time.time() + EVERY
    for index, number in enumerate(numbers):
        await asyncio.sleep(max(first + index * EVERY - time.time(), 0))
        sent[number] = time.time()
        await stage.tasks.stamp.enqueue(number)
    return sent


async def waits(stage: Stage, since: Mapping[int, float]) -> list[float]:
    """Milliseconds from these instants to the starts of the jobs, once all have started."""
    await stage.all_started(range(min(since), max(since) + 1))
    return [(stage.board.start(number) - instant) * 1000 for number, instant in since.items()]
