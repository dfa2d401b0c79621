import importlib
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest

from atode.broker.redis.broker import RedisBroker
from tests.interop.journal import Journal
from tests.interop.monitor_process import Monitor
from tests.interop.peer import Peer
from tests.interop.processes import GoServer, PythonWorker
from tests.interop.program import build


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Building the Go program for the first time may take longer than any test.
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(120, func_only=True))


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Where the Go programs are built."""
    folder = tmp_path_factory.getbasetemp()
    # The processes of one parallel run have folders of their own in one that they share.
    return folder.parent if hasattr(request.config, "workerinput") else folder


@pytest.fixture
def go(programs: Path, redis_url: str) -> Peer:
    """asynq's client and inspector on an empty database."""
    return Peer(build("go", programs), redis_url)


@pytest.fixture
async def monitor(programs: Path, redis_url: str, tmp_path: Path) -> AsyncIterator[Monitor]:
    """asynqmon on the same database."""
    with Monitor(build("monitor", programs), redis_url, tmp_path) as monitor:
        yield await monitor.started()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


@pytest.fixture
def app(redis_url: str, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of jobs, imported afresh for this test's database."""
    monkeypatch.setenv("ATODE_URL", redis_url)
    monkeypatch.setenv("ATODE_TEST_JOURNAL", str(journal.path))
    return importlib.reload(importlib.import_module("tests.interop.jobs"))


@pytest.fixture
async def broker(redis_url: str) -> AsyncIterator[RedisBroker]:
    broker = RedisBroker(redis_url)
    yield broker
    await broker.close()


@pytest.fixture
async def python_worker(redis_url: str, journal: Journal) -> AsyncIterator[PythonWorker]:
    with PythonWorker(redis_url, journal) as worker:
        yield await worker.started()


@pytest.fixture
async def go_server(go: Peer, journal: Journal) -> AsyncIterator[GoServer]:
    with GoServer(go, journal) as server:
        yield await server.started()
