"""How soon an idle worker starts a job: from just before `enqueue` to the handler's start."""

import asyncio
import time

from bench.figure import Figure, percentile
from bench.stage import Stage

# An open loop: the next job comes at its time, whether or not the last one has run.
_EVERY = 0.02


async def latency(stage: Stage, numbers: range) -> list[Figure]:
    """Send the jobs of these numbers one at a time. Both processes read the same wall clock."""
    sent: dict[int, float] = {}
    first = time.time() + _EVERY
    for index, number in enumerate(numbers):
        await asyncio.sleep(max(first + index * _EVERY - time.time(), 0))
        sent[number] = time.time()
        await stage.tasks.stamp.enqueue(number)
    await stage.all_started(numbers)

    waited = [(stage.board.start(number) - instant) * 1000 for number, instant in sent.items()]
    void = stage.board.complaint(numbers)
    return [
        Figure(f"idle latency p{percent}", "ms", percentile(waited, percent), void)
        for percent in (50, 99)
    ]
