"""How late delayed jobs start: from their instant to the handler's start."""

import time
from datetime import UTC, datetime
from random import Random

from bench.figure import Figure, percentile
from bench.stage import Stage

_FIRST_AFTER = 1.0
_EVERY = 0.015


async def lateness(stage: Stage, numbers: range) -> list[Figure]:
    """Store the jobs of these numbers for instants from one second on, about 15 ms apart."""
    # Instants that are no whole milliseconds, and the same ones in every run.
    random = Random(0)
    first = time.time() + _FIRST_AFTER
    instants = [
        datetime.fromtimestamp(first + (index + random.random()) * _EVERY, UTC)
        for index in range(len(numbers))
    ]
    await stage.tasks.jobs.enqueue_many(
        stage.tasks.stamp.options(at=at).call(number)
        for number, at in zip(numbers, instants, strict=True)
    )
    await stage.all_started(numbers)

    late = [
        (stage.board.start(number) - at.timestamp()) * 1000
        for number, at in zip(numbers, instants, strict=True)
    ]
    void = stage.board.complaint(numbers) or ("started early" if min(late) < 0 else "")
    return [
        Figure("delayed job's lateness min", "ms", min(late), void),
        *(
            Figure(f"delayed job's lateness p{percent}", "ms", percentile(late, percent), void)
            for percent in (50, 99)
        ),
    ]
