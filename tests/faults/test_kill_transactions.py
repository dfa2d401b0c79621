"""An effect and its job's end in one transaction: exactly once, wherever the worker is killed."""

import asyncio
import importlib
from collections import Counter
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import text

from atode import State
from tests.faults.journal import Journal
from tests.faults.worker_process import WorkerProcess

APP = "tests.faults.purchases:jobs"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/jobs.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


@pytest.fixture
def app(url: str, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("ATODE_URL", url)
    monkeypatch.setenv("ATODE_TEST_JOURNAL", str(journal.path))
    return importlib.reload(importlib.import_module("tests.faults.purchases"))


async def test_the_effect_of_a_killed_handler_happens_once(
    app: ModuleType, url: str, journal: Journal
) -> None:
    options = ("--lease", "2", "--concurrency", "2")
    async with app.jobs:
        await prepare(app)
        with WorkerProcess(url, journal.path, *options, app=APP) as victim:
            # In this order: on SQLite nobody else commits while one is between its lines.
            for number, place in ((1, "committed"), (2, "written")):
                await app.buy.enqueue(number, stop_at=place)
                await journal.until(partial(has_noted, place, number))
            victim.kill()
        with WorkerProcess(url, journal.path, *options, app=APP):
            await no_job_left(app)

        assert await bought(app) == {1: 1, 2: 1}
    assert journal.count("written") == {1: 1, 2: 2}


async def test_workers_that_are_killed_over_and_over_buy_everything_once(
    app: ModuleType, url: str, journal: Journal
) -> None:
    total = 100
    options = ("--lease", "2", "--concurrency", "4")
    async with app.jobs:
        await prepare(app)
        await app.jobs.enqueue_many(app.dribble.call(n) for n in range(total))
        for ended in (20, 50):
            with WorkerProcess(url, journal.path, *options, app=APP) as victim:
                await journal.until(partial(has_more_than, ended))
                victim.kill()
        with WorkerProcess(url, journal.path, *options, app=APP):
            await no_job_left(app)

        assert await bought(app) == dict.fromkeys(range(total), 1)


async def prepare(app: ModuleType) -> None:
    async with app.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE bought (number integer)"))


async def bought(app: ModuleType) -> Counter[int]:
    async with app.engine.begin() as connection:
        rows = await connection.execute(text("SELECT number FROM bought"))
        found: Counter[int] = Counter(number for (number,) in rows)
    await app.engine.dispose()
    return found


async def no_job_left(app: ModuleType) -> None:
    async with asyncio.timeout(60):
        while any((counts := await app.jobs.broker.counts("default")).values()):
            assert not counts[State.ARCHIVED]
            await asyncio.sleep(0.05)


def has_noted(word: str, number: int, journal: Journal) -> bool:
    return number in journal.count(word)


def has_more_than(ended: int, journal: Journal) -> bool:
    return len(journal.count("committed")) > ended
