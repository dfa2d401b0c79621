"""Cancelling across the border: Go's tools fail an attempt, Python's cancel the job."""

import time
from types import ModuleType

import pytest

from atode import State
from tests.faults.journal import eventually
from tests.interop.journal import Journal
from tests.interop.peer import Peer, Spec
from tests.interop.processes import GoServer, PythonWorker


async def test_gos_inspector_cancels_an_attempt_in_python_and_it_is_retried(
    go: Peer, python_worker: PythonWorker, journal: Journal
) -> None:
    meant, other = go.enqueue(*[Spec(type="rest", payload=b'{"seconds": 60}')] * 2)
    await journal.has("start", meant.id, other.id)

    go.cancel(meant.id)

    task = await go.task_in("retry", meant.id)
    assert (task.error, task.retried) == ("context canceled", 1)
    assert task.last_failed_at == pytest.approx(time.time(), abs=30)
    assert task.next_process_at > time.time() + 60
    assert go.task(other.id).state == "active"
    assert journal.ids("end") == {}


async def test_a_job_that_python_cancels_in_a_go_server_stops_there_and_is_archived_by_python(
    app: ModuleType, go: Peer, redis_url: str, journal: Journal
) -> None:
    async with app.jobs:
        with GoServer(go, journal) as server:
            await server.started()
            handle = await app.rest.enqueue(60)
            await journal.has("start", handle.id, side="go")

            assert await handle.cancel()

            task = await go.task_in("retry", handle.id)
            assert (task.error, task.retried) == ("context canceled", 1)
            await server.stop()
        # As when its retry has come.
        go.run(handle.id)
        with PythonWorker(redis_url, journal) as worker:
            await worker.started()
            task = await go.task_in("archived", handle.id)
            await worker.stop()

    assert task.error == "cancelled"
    assert journal.ids("start", "python") == {}
    assert journal.ids("end") == {}


async def test_go_sees_what_python_has_cancelled_and_may_run_it_again(
    app: ModuleType, go: Peer, redis_url: str, journal: Journal
) -> None:
    headers = {"trace": "abc"}
    async with app.jobs:
        waiting = await app.rest.options(delay=600, headers=headers).enqueue(0)
        with PythonWorker(redis_url, journal) as worker:
            await worker.started()
            running = await app.rest.options(headers=headers).enqueue(60)
            await journal.has("start", running.id)

            assert await app.jobs.broker.cancel("default", [waiting.id, running.id]) == 2

            tasks = [await go.task_in("archived", job.id) for job in (waiting, running)]
            for task in tasks:
                assert (task.error, task.type, task.headers) == ("cancelled", "rest", headers)
                assert task.last_failed_at == pytest.approx(time.time(), abs=30)
            assert {task.id for task in go.tasks("archived")} == {waiting.id, running.id}
            go.run(waiting.id)
            await journal.has("end", waiting.id, side="python")
            await eventually(lambda: go.queue().active == 0)
            counts = await app.jobs.broker.counts("default")

    assert journal.ids("end") == {waiting.id: 1}
    assert (counts[State.ARCHIVED], sum(counts.values())) == (1, 1)
