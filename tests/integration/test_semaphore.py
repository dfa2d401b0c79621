"""Jobs of a real worker that share places, on every kind of store."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from atode import Atode, Retry, State
from atode.events import JobSnoozed, JobSucceeded
from tests.integration.stage import (
    FlakyBroker,
    app_on,
    archived,
    heard,
    until,
    until_stored,
    working,
)

COUNT = 12


class Peak:
    """How many were inside at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self.most = 0

    def enter(self) -> None:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Atode]:
    urls = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path}/jobs.db"}
    url = urls.get(request.param) or str(request.getfixturevalue("redis_url"))
    async with Atode(url, retry=Retry(0)) as app:
        yield app


async def test_no_more_jobs_than_places_are_inside_and_none_is_lost(jobs: Atode) -> None:
    peak = Peak()
    payments = jobs.semaphore("payments", limit=3)

    @jobs.task(timeout=60)
    async def charge(n: int) -> None:
        async with payments.slot(or_snooze=0.05):
            peak.enter()
            await asyncio.sleep(0.02)
            peak.leave()

    snoozed, succeeded = heard(jobs, JobSnoozed), heard(jobs, JobSucceeded)
    async with working(jobs, concurrency=COUNT):
        await jobs.enqueue_many(charge.call(n) for n in range(COUNT))
        await until(lambda: len(succeeded) == COUNT)

    assert peak.most == 3
    assert snoozed
    assert {event.job.retried for event in snoozed} == {0}


async def test_threads_share_places_too(jobs: Atode) -> None:
    peak = Peak()
    payments = jobs.semaphore("payments", limit=2)

    @jobs.task(timeout=60)
    def charge(n: int) -> None:
        with payments.slot(or_snooze=0.05):
            peak.enter()
            time.sleep(0.02)
            peak.leave()

    succeeded = heard(jobs, JobSucceeded)
    async with working(jobs, concurrency=6):
        await jobs.enqueue_many(charge.call(n) for n in range(6))
        await until(lambda: len(succeeded) == 6)

    assert peak.most == 2


async def test_a_job_that_is_snoozed_for_want_of_a_place_shows_no_error(jobs: Atode) -> None:
    payments = jobs.semaphore("payments", limit=1)
    end = time.time() + 3600
    await jobs.broker.take_place("payments", "someone", limit=1, until=end)

    @jobs.task(timeout=60)
    async def charge() -> None:
        async with payments.slot(or_snooze=600):
            raise AssertionError("there is no place")

    async with working(jobs):
        handle = await charge.enqueue()
        job = await until_stored(handle, State.RETRY)

    assert job
    assert (job.retried, job.error) == (0, "")
    assert job.due == pytest.approx(time.time() + 600, abs=30)


async def test_a_job_without_limits_hears_what_to_do() -> None:
    jobs = Atode("memory://", retry=Retry(0))
    payments = jobs.semaphore("payments", limit=1)

    @jobs.task(timeout=0)
    async def charge() -> None:
        async with payments.slot():
            pass

    async with working(jobs):
        job = await archived(await charge.enqueue())

    assert "has neither timeout nor deadline" in job.error


async def test_while_the_store_is_away_nobody_gets_a_place_and_nobody_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = FlakyBroker.with_faults()
    jobs = app_on(broker, monkeypatch)
    payments = jobs.semaphore("payments", limit=1)
    ran = Counter[str]()

    @jobs.task(timeout=60)
    async def charge() -> None:
        async with payments.slot(or_snooze=0.01):
            ran["inside"] += 1

    snoozed = heard(jobs, JobSnoozed)
    broker.faults.down = {"take_place"}
    async with working(jobs):
        handle = await charge.enqueue()
        await until(lambda: len(snoozed) > 1)
        assert not ran
        broker.faults.down = set()
        await until_stored(handle, None)

    assert ran == {"inside": 1}


async def test_a_place_that_cannot_be_given_back_does_not_undo_what_was_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = FlakyBroker.with_faults()
    broker.faults.down = {"free_place"}
    jobs = app_on(broker, monkeypatch)
    payments = jobs.semaphore("payments", limit=1)

    @jobs.task(timeout=60, retention=60)
    async def charge() -> int:
        async with payments.slot():
            return 42

    async with working(jobs):
        assert await (await charge.enqueue()).result(timeout=20) == 42

    assert broker.faults.calls["free_place"] == 1
