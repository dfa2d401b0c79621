"""Several processes tick the same schedule at the same time."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from atode.clock import SystemClock
from atode.job import State
from atode.schedule import Ticked, tick_id
from atode.stores import broker_for
from tests.servers.redis_cluster import RedisCluster

FIRST = 1_900_000_000.0
TICKS = 60
PROCESSES = 5


def ticked_by_processes(url: str) -> Counter[str]:
    """What came of the ticks of all processes together."""
    command = [sys.executable, "-m", "tests.integration.ticker", url]
    running = [
        subprocess.Popen(
            [*command, f"w{n}", str(FIRST), str(TICKS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(PROCESSES)
    ]
    for process in running:
        assert process.stdin
        process.stdin.close()
    found = Counter[str]()
    for process in running:
        with process:
            assert process.stdout
            found.update(json.load(process.stdout))
        assert process.returncode == 0
    return found


async def jobs_at(url: str) -> list[str]:
    broker = broker_for(url, SystemClock())
    jobs = await broker.find("default", State.PENDING, limit=1000)
    await broker.close()
    return [job.id for job in jobs]


async def each_tick_is_one_job(url: str) -> None:
    came_of = ticked_by_processes(url)

    assert came_of == {Ticked.STORED: TICKS, Ticked.LATE: TICKS * (PROCESSES - 1)}
    assert await jobs_at(url) == [tick_id("nightly", FIRST + 60 * n) for n in range(TICKS)]


@pytest.mark.parametrize("store", ["sqlite", "redis", "postgres"])
async def test_each_tick_of_many_processes_is_one_job(
    request: pytest.FixtureRequest, tmp_path: Path, store: str
) -> None:
    on_disk = store == "sqlite"
    url = f"sqlite:///{tmp_path}/jobs.db" if on_disk else request.getfixturevalue(f"{store}_url")

    await each_tick_is_one_job(url)


async def test_each_tick_of_many_processes_is_one_job_in_a_cluster() -> None:
    with RedisCluster() as cluster:
        await each_tick_is_one_job(cluster.url)
