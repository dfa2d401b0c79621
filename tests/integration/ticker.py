"""A process that ticks one schedule as fast as it can. Arguments: URL, worker, first, count."""

import asyncio
import json
import sys
from collections import Counter

from atode.clock import SystemClock
from atode.job import Job
from atode.schedule import Tick, Ticked, tick_id
from atode.stores import broker_for


async def tick(url: str, worker: str, first: float, count: int) -> Counter[Ticked]:
    broker = broker_for(url, SystemClock())
    await broker.open()
    came_of = Counter[Ticked]()
    for n in range(count):
        at = first + 60 * n
        job = Job(tick_id("nightly", at), "work", "default", b"{}")
        came_of.update(await broker.tick([Tick("nightly", at, job)], worker=worker))
    await broker.close()
    return came_of


if __name__ == "__main__":
    url, worker, first, count = sys.argv[1:]
    # All wait for the one who starts them, so that they start together.
    sys.stdin.read()
    json.dump(asyncio.run(tick(url, worker, float(first), int(count))), sys.stdout)
