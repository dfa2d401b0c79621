"""How a worker stops: softly, hastily, or cancelled from outside; and what it leaves behind."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from atode import Atode, Retry, State, Worker
from atode.events import JobReleased, JobSucceeded, WorkerStopped, WorkerStopping
from atode.worker import _runner
from tests.integration.stage import PATIENCE, heard, until, wait_deaf


@pytest.fixture
def jobs() -> Atode:
    return Atode("memory://")


@asynccontextmanager
async def started(app: Atode, **options: Any) -> AsyncGenerator[tuple[Worker, asyncio.Task[None]]]:
    """A running worker that the test itself stops."""
    worker = app.worker(**options)
    running = asyncio.create_task(worker.run(signals=False))
    try:
        async with asyncio.timeout(PATIENCE):
            yield worker, running
    finally:
        assert running.done()


async def test_a_soft_stop_lets_running_jobs_finish_and_claims_nothing_more(jobs: Atode) -> None:
    release = asyncio.Event()
    ran: list[int] = []

    @jobs.task
    async def careful(n: int) -> None:
        ran.append(n)
        await release.wait()

    stopping, succeeded = heard(jobs, WorkerStopping), heard(jobs, JobSucceeded)
    await careful.enqueue(1)
    async with started(jobs, concurrency=1) as (worker, running):
        await until(lambda: ran)
        rest = await careful.enqueue(2)
        worker.stop()
        await until(lambda: stopping)
        assert worker.presence().status == "stopped"
        assert not running.done()
        release.set()
        await running

    left = await rest.job()
    assert ran == [1]
    assert stopping == [WorkerStopping(worker.id, 1)]
    assert len(succeeded) == 1
    assert left is not None
    assert left.state is State.PENDING


async def test_an_idle_worker_stops_at_once(jobs: Atode) -> None:
    stopped = heard(jobs, WorkerStopped)

    async with started(jobs) as (worker, running):
        await until(lambda: worker.presence().running_count == 0)
        worker.stop()
        await running

    assert stopped == [WorkerStopped(worker.id, 0)]
    assert await jobs.broker.workers() == []


async def test_a_worker_that_is_stopped_before_it_runs_runs_nothing(jobs: Atode) -> None:
    worker = jobs.worker()
    worker.stop()

    async with asyncio.timeout(PATIENCE):
        await worker.run(signals=False)


async def test_what_is_not_done_when_the_patience_is_over_is_handed_back(jobs: Atode) -> None:
    ran: list[int] = []

    @jobs.task
    async def endless() -> None:
        ran.append(1)
        await asyncio.Event().wait()

    released, stopped = heard(jobs, JobReleased), heard(jobs, WorkerStopped)
    handle = await endless.enqueue()
    async with started(jobs, shutdown_timeout=0.02) as (worker, running):
        await until(lambda: ran)
        worker.stop()
        await running

    job = await handle.job()
    assert job is not None
    assert (job.state, job.retried, job.error) == (State.PENDING, 0, "")
    assert [event.job.id for event in released] == [handle.id]
    assert stopped == [WorkerStopped(worker.id, 1)]


async def test_what_is_handed_back_keeps_its_order(jobs: Atode) -> None:
    ran: list[int] = []

    @jobs.task
    async def endless(number: int) -> None:
        ran.append(number)
        await asyncio.Event().wait()

    for number in range(3):
        await endless.options(id=f"job-{number}").enqueue(number)
    async with started(jobs, concurrency=3, shutdown_timeout=0.02) as (worker, running):
        await until(lambda: len(ran) == 3)
        await endless.options(id="job-3").enqueue(3)
        worker.stop()
        await running

    waiting = await jobs.broker.find("default", State.PENDING, limit=9)
    assert [job.id for job in waiting] == [f"job-{number}" for number in range(4)]


async def test_a_second_stop_hurries_the_first(jobs: Atode) -> None:
    ran: list[int] = []

    @jobs.task
    async def endless() -> None:
        ran.append(1)
        await asyncio.Event().wait()

    stopping = heard(jobs, WorkerStopping)
    handle = await endless.enqueue()
    async with started(jobs, shutdown_timeout=3600) as (worker, running):
        await until(lambda: ran)
        worker.stop()
        await until(lambda: stopping)
        worker.stop()
        await running

    job = await handle.job()
    assert job is not None
    assert job.state is State.PENDING


async def test_a_worker_that_is_cancelled_hands_its_jobs_back_first(jobs: Atode) -> None:
    ran: list[int] = []

    @jobs.task
    async def endless() -> None:
        ran.append(1)
        await asyncio.Event().wait()

    handle = await endless.enqueue()
    async with started(jobs) as (_, running):
        await until(lambda: ran)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    job = await handle.job()
    assert job is not None
    assert (job.state, job.retried) == (State.PENDING, 0)
    assert await jobs.broker.workers() == []


async def test_an_interrupted_handler_may_clean_up_and_even_finish(jobs: Atode) -> None:
    ran: list[str] = []

    @jobs.task
    async def finishing() -> None:
        ran.append("began")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ran.append("finished")

    handle = await finishing.enqueue()
    async with started(jobs, shutdown_timeout=0) as (worker, running):
        await until(lambda: ran)
        worker.stop()
        await running

    assert ran == ["began", "finished"]
    assert await handle.job() is None


async def test_a_handler_that_fails_because_it_was_interrupted_is_handed_back(
    jobs: Atode,
) -> None:
    # As libraries do that turn a cancellation into an error of their own.
    ran: list[int] = []

    @jobs.task(retry=Retry(0))
    async def rephrasing() -> None:
        ran.append(1)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionError("closed") from None

    handle = await rephrasing.enqueue()
    async with started(jobs, shutdown_timeout=0) as (worker, running):
        await until(lambda: ran)
        worker.stop()
        await running

    job = await handle.job()
    assert job is not None
    assert (job.state, job.error) == (State.PENDING, "")


async def test_a_handler_that_does_not_listen_cannot_keep_the_worker(
    jobs: Atode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_runner, "PATIENCE", 0.02)
    release = asyncio.Event()
    ran: list[int] = []

    @jobs.task
    async def deaf() -> None:
        ran.append(1)
        await wait_deaf(release)

    handle = await deaf.enqueue()
    async with started(jobs, shutdown_timeout=0) as (worker, running):
        await until(lambda: ran)
        worker.stop()
        await running

    job = await handle.job()
    assert job is not None
    assert job.state is State.PENDING
    release.set()


async def test_a_handler_in_a_thread_cannot_keep_the_worker_either(jobs: Atode) -> None:
    release = threading.Event()
    ran: list[int] = []

    @jobs.task
    def stubborn() -> None:
        ran.append(1)
        release.wait(20)

    handle = await stubborn.enqueue()
    try:
        async with started(jobs, shutdown_timeout=0) as (worker, running):
            await until(lambda: ran)
            worker.stop()
            await running
    finally:
        release.set()

    job = await handle.job()
    assert job is not None
    assert job.state is State.PENDING


async def test_a_living_worker_is_shown_with_what_it_runs(jobs: Atode) -> None:
    release = asyncio.Event()

    @jobs.task
    async def careful(n: int) -> None:
        await release.wait()

    handle = await careful.enqueue(7)
    async with started(jobs, concurrency=3, queues={"default": 2}) as (worker, running):
        await until(lambda: worker.presence().running)
        shown = worker.presence()
        release.set()
        worker.stop()
        await running

    assert (shown.worker, shown.concurrency, shown.queues) == (worker.id, 3, {"default": 2})
    assert (shown.status, shown.running_count) == ("active", 1)
    assert [(entry.job_id, entry.payload) for entry in shown.running] == [(handle.id, b'{"n":7}')]
