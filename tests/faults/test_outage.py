"""Promise 9: outages pass."""

import asyncio
from collections.abc import Iterator
from types import ModuleType

import pytest

from atode import BrokerUnavailable, State
from tests.faults.journal import Journal
from tests.faults.worker_process import WorkerProcess
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer

DOWN = 5.0
LEASE = 1.5 * DOWN


Server = RedisServer | PostgresServer


@pytest.fixture(params=["redis", "postgres"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    # With "everysec" Redis answers up to two seconds before it writes, while an earlier fsync takes
    # its time on a busy disk; what it then forgets when killed was never promised.
    durable = ("--appendonly", "yes", "--appendfsync", "always")
    with RedisServer(*durable) if request.param == "redis" else PostgresServer() as server:
        yield server


@pytest.fixture
def url(server: Server) -> str:
    return server.url if isinstance(server, RedisServer) else server.url()


async def test_a_server_that_is_killed_under_load_and_comes_back_loses_nothing(
    server: Server, app: ModuleType, url: str, journal: Journal
) -> None:
    with WorkerProcess(url, journal.path, "--lease", str(LEASE)) as worker:
        async with app.jobs:
            await worker.started()
            producer = asyncio.create_task(_produce_until_told(app))
            await journal.until(lambda j: len(j.count("end")) > 200)

            server.kill()
            await worker.says("next try in")
            await asyncio.sleep(DOWN)
            server.restart()

            await worker.says("answers again")
            before = len(journal.count("end"))
            await journal.until(lambda j: len(j.count("end")) > before + 200)
            producer.cancel()
            acknowledged, refused = await producer
            await journal.until(lambda j: j.count("end").keys() >= acknowledged)
            assert worker.is_running()
            counts = await app.jobs.broker.counts("default")

    assert refused > 0
    assert counts[State.ARCHIVED] == 0
    # Twice is allowed for what was running or unwritten when the server died, no more.
    twice = [number for number, times in journal.count("end").items() if times > 1]
    assert len(twice) <= 40


async def test_a_worker_that_starts_before_its_server_waits_for_it(
    server: Server, app: ModuleType, url: str, journal: Journal
) -> None:
    server.kill()
    with WorkerProcess(url, journal.path) as worker:
        await worker.says("next try in")

        server.restart()
        async with app.jobs:
            await app.work.enqueue(1)
            await journal.until(lambda j: len(j.count("end")) == 1)


async def test_a_worker_can_be_stopped_while_its_server_is_down(
    server: Server, app: ModuleType, url: str, journal: Journal
) -> None:
    with WorkerProcess(url, journal.path) as worker:
        await worker.started()
        server.kill()
        await worker.says("next try in")

        worker.terminate()

        assert await worker.exit_code() == 0


async def _produce_until_told(app: ModuleType) -> tuple[set[int], int]:
    """Numbers whose enqueue was acknowledged, and how many were refused."""
    acknowledged: set[int] = set()
    refused = 0
    number = 0
    try:
        while True:
            number += 1
            try:
                await app.work.enqueue(number, seconds=0.005)
                acknowledged.add(number)
            except BrokerUnavailable:
                refused += 1
                await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        return acknowledged, refused
