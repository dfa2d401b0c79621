"""How late delayed jobs start: from their instant to the handler's start."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random

from bench.figure import Figure, percentile
from bench.latency import waits
from bench.stage import Stage

_FIRST_AFTER = 1.0
_EVERY = 0.015


async def lateness(stage: Stage, numbers: range) -> list[Figure]:
    """Store the jobs of these numbers for instants from one second on, about 15 ms apart."""
    due = instants(numbers)
    await delay(stage, due)
    late = await waits(stage, due)
    void = stage.board.complaint(numbers) or ("started early" if min(late) < 0 else "")
    return [
        Figure("delayed job's lateness min", "ms", min(late), void),
        *(
            Figure(f"delayed job's lateness p{percent}", "ms", percentile(late, percent), void)
            for percent in (50, 99)
        ),
    ]


def instants(numbers: range) -> Mapping[int, float]:
    """When these jobs are due, in Unix seconds."""
    # Instants that are no whole milliseconds, and the same ones in every run.
    random = Random(0)
    first = time.time() + _FIRST_AFTER
    return {
        number: _representable(first + (index + random.random()) * _EVERY)
        for index, number in enumerate(numbers)
    }


async def delay(stage: Stage, due: Mapping[int, float]) -> None:
    """Store a job for each of these instants."""
    await stage.tasks.jobs.enqueue_many(
        stage.tasks.stamp.options(at=datetime.fromtimestamp(instant, UTC)).call(number)
        for number, instant in due.items()
    )


def _representable(instant: float) -> float:
    # A datetime has whole microseconds.
    return datetime.fromtimestamp(instant, UTC).timestamp()
