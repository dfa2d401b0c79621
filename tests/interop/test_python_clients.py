"""Python stores a job, a Go server runs it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest

from atode import JobFailed, State
from atode.broker.redis.broker import RedisBroker
from atode.job import Job
from tests.faults.journal import eventually
from tests.interop.journal import Journal
from tests.interop.peer import Peer
from tests.interop.processes import GoServer, PythonWorker

TEN_YEARS = 315_360_000


async def failed_once(broker: RedisBroker, id: str) -> Job:
    """The job after its first failure; the test's time limit ends the waiting."""
    job = await broker.get("default", id)
    while not (job and job.retried):
        await asyncio.sleep(0.02)
        job = await broker.get("default", id)
    return job


@pytest.mark.usefixtures("go_server")
async def test_a_go_handler_reads_the_arguments_into_a_struct(
    app: ModuleType, journal: Journal
) -> None:
    async with app.jobs:
        handle = await app.ship.enqueue(app.Order(sku="a-1", count=3), express=True)

    [end] = await journal.has("end", handle.id)
    assert (end.side, end.detail) == ("go", "3 of a-1, express true")


@pytest.mark.usefixtures("go_server")
async def test_headers_and_options_of_a_python_program_arrive(
    app: ModuleType, journal: Journal
) -> None:
    headers = {"trace": "abc", "名": "値"}
    deadline = datetime.now(UTC) + timedelta(minutes=5)
    options = {"headers": headers, "max_retry": 3, "deadline": deadline, "id": "chosen"}
    async with app.jobs:
        await app.work.options(**options).enqueue(1)

    [end] = await journal.has("end", "chosen")
    assert (end.headers, end.max_retry) == (headers, 3)
    assert end.deadline == int(deadline.timestamp())


@pytest.mark.usefixtures("go_server")
async def test_a_job_without_a_limit_has_ten_years_in_go(app: ModuleType, journal: Journal) -> None:
    async with app.jobs:
        handle = await app.work.options(timeout=0).enqueue(1)

    [end] = await journal.has("end", handle.id)
    assert end.deadline - end.at == pytest.approx(TEN_YEARS, abs=5)


@pytest.mark.usefixtures("go_server")
async def test_go_starts_a_delayed_job_after_its_instant(app: ModuleType, journal: Journal) -> None:
    now = time.time()
    async with app.jobs:
        handle = await app.work.options(delay=1.3).enqueue(1)

    [start] = await journal.has("start", handle.id)
    assert start.at >= now + 1.3


@pytest.mark.usefixtures("go_server")
async def test_what_a_go_handler_writes_is_the_result_in_python(app: ModuleType) -> None:
    async with app.jobs:
        handle = await app.greet.enqueue("後")

        assert await handle.result(timeout=30) == "Hello, 後"


@pytest.mark.usefixtures("go_server")
async def test_a_failure_in_go_is_seen_in_python(app: ModuleType, broker: RedisBroker) -> None:
    before = int(time.time())
    async with app.jobs:
        handle = await app.fail.options(headers={"trace": "abc"}).enqueue("壊れた")

        job = await failed_once(broker, handle.id)

    assert (job.state, job.error, job.max_retry) == (State.RETRY, "壊れた", 25)
    assert job.headers == {"trace": "abc"}
    assert before <= job.last_failed_at <= time.time()
    assert before + 3600 <= job.due <= time.time() + 3601


@pytest.mark.usefixtures("go_server")
async def test_a_job_that_go_gives_up_fails_its_handle(app: ModuleType) -> None:
    async with app.jobs:
        exhausted = await app.fail.options(max_retry=0, retention=60).enqueue("no")
        hopeless = await app.refuse.options(retention=60).enqueue("never")

        with pytest.raises(JobFailed, match="no"):
            await exhausted.result(timeout=30)
        with pytest.raises(JobFailed, match="never"):
            await hopeless.result(timeout=30)


@pytest.mark.usefixtures("go_server")
async def test_a_handler_that_panics_in_go_is_a_failure(broker: RedisBroker) -> None:
    await broker.enqueue([Job("p1", "panic", "default", b'{"text": "aaah"}')])

    job = await failed_once(broker, "p1")
    assert "aaah" in job.error


@pytest.mark.usefixtures("go_server")
async def test_a_timeout_that_python_set_ends_the_attempt_in_go(
    app: ModuleType, broker: RedisBroker
) -> None:
    async with app.jobs:
        handle = await app.rest.options(timeout=1).enqueue(3600)

        job = await failed_once(broker, handle.id)

    assert (job.error, job.timeout) == ("context deadline exceeded", 1)


async def test_a_job_that_failed_in_python_runs_in_go_when_it_is_told_to(
    app: ModuleType, go: Peer, redis_url: str, journal: Journal
) -> None:
    async with app.jobs:
        with PythonWorker(redis_url, journal) as worker:
            await worker.started()
            handle = await app.fail.options(headers={"trace": "abc"}).enqueue("壊れた")
            await go.task_in("retry", handle.id)
            await worker.stop()
    with GoServer(go, journal) as server:
        await server.started()

        go.run(handle.id)

        [start] = await journal.has("start", handle.id, side="go")
        await eventually(lambda: go.task(handle.id).retried == 2)
    assert start.retried == 1
    assert start.headers == {"trace": "abc"}
    assert go.task(handle.id).error == "壊れた"


async def test_a_job_that_failed_in_go_runs_in_python_at_its_time(
    app: ModuleType, go: Peer, redis_url: str, journal: Journal
) -> None:
    async with app.jobs:
        with GoServer(go, journal, retry_delay=1) as server:
            await server.started()
            handle = await app.fail.options(headers={"trace": "abc"}).enqueue("壊れた")
            due = (await go.task_in("retry", handle.id)).next_process_at
            await server.stop()
        with PythonWorker(redis_url, journal) as worker:
            await worker.started()

            [start] = await journal.has("start", handle.id, side="python")
            failed = await go.task_in("retry", handle.id)
    assert start.at >= due
    assert start.retried == failed.retried - 1
    assert start.headers == {"trace": "abc"}
    assert failed.error.startswith("ValueError: 壊れた")
