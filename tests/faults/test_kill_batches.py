"""Promise 1 for batches: whoever dies while batches are made, every item is handled."""

import asyncio
from collections import defaultdict
from functools import partial
from types import ModuleType

from atode import State
from tests.faults.journal import Journal
from tests.faults.worker_process import WorkerProcess

TOTAL = 3000
KEYS = 40


async def test_workers_killed_while_they_make_batches_lose_no_item_and_put_none_into_two(
    app: ModuleType, url: str, journal: Journal
) -> None:
    options = ("--lease", "2", "--concurrency", "20")
    async with app.jobs:
        stored = asyncio.create_task(_trickle(app))
        for kills in range(1, 7):
            with WorkerProcess(url, journal.path, *options) as victim:
                await victim.started()
                await journal.until(partial(_has_more_than, kills * 300))
                victim.kill()
        with WorkerProcess(url, journal.path, *options) as last:
            await last.started()
            await stored
            await journal.until(lambda j: len(j.count("end")) == TOTAL)
            counts = await _settled(app)

    batches: dict[int, set[str]] = defaultdict(set)
    for entry in journal.entries():
        if entry.word.startswith("in:"):
            batches[entry.number].add(entry.word)
    assert batches.keys() == set(range(TOTAL))
    assert [item for item, into in batches.items() if len(into) > 1] == []
    assert sum(counts.values()) == 0


def _has_more_than(ended: int, journal: Journal) -> bool:
    return len(journal.count("end")) > ended


async def _trickle(app: ModuleType) -> None:
    for start in range(0, TOTAL, 50):
        await app.jobs.enqueue_many(
            app.gather.options(key=str(item % KEYS)).call(item) for item in range(start, start + 50)
        )
        await asyncio.sleep(0.1)


async def _settled(app: ModuleType) -> dict[State, int]:
    """Counts once nothing waits or runs any more."""
    waiting = (State.ACTIVE, State.PENDING, State.RETRY, State.AGGREGATING)
    while True:
        counts: dict[State, int] = dict(await app.jobs.broker.counts("default"))
        if not any(counts[state] for state in waiting):
            return counts
        await asyncio.sleep(0.05)
