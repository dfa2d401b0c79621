"""Python's broker reads what Go wrote."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from atode import State
from atode.broker.redis.broker import RedisBroker
from atode.job import Job
from atode.presence import Presence
from tests.interop.journal import Journal
from tests.interop.peer import Peer, Spec
from tests.interop.processes import GoServer

HEADERS = {"trace": "abc"}


async def test_jobs_that_wait(go: Peer, broker: RedisBroker) -> None:
    deadline = int(time.time()) + 600
    now, later = go.enqueue(
        {"type": "work", "payload": b"{}", "headers": HEADERS, "max_retry": 3},
        {"type": "work", "delay": 3600, "deadline": deadline, "retention": 60},
    )

    pending = await broker.get("default", now.id)
    scheduled = await broker.get("default", later.id)

    assert pending == Job(
        now.id, "work", "default", b"{}", State.PENDING, max_retry=3, headers=HEADERS
    )
    assert scheduled == Job(
        later.id,
        "work",
        "default",
        b"",
        State.SCHEDULED,
        due=int(later.next_process_at),
        timeout=0,
        deadline=deadline,
        retention=60,
    )


@pytest.mark.usefixtures("go_server")
async def test_jobs_that_ran(go: Peer, broker: RedisBroker) -> None:
    before = int(time.time())
    done, failed, refused, gone = go.enqueue(
        {"type": "greet", "payload": b'{"name": "A"}', "retention": 60},
        {"type": "fail", "payload": b'{"text": "no"}', "headers": HEADERS},
        {"type": "refuse", "payload": b'{"text": "never"}'},
        {"type": "work", "payload": b"{}"},
    )
    await go.task_in("completed", done.id)
    await go.task_in("retry", failed.id)
    await go.task_in("archived", refused.id)

    completed = await broker.get("default", done.id)
    retry = await broker.get("default", failed.id)
    archived = await broker.get("default", refused.id)

    assert completed
    assert (completed.state, completed.result) == (State.COMPLETED, b'"Hello, A"')
    assert before <= completed.completed_at <= time.time()
    assert retry
    assert (retry.state, retry.error, retry.retried) == (State.RETRY, "no", 1)
    assert retry.headers == HEADERS
    assert before + 3600 <= retry.due <= time.time() + 3600
    assert archived
    assert (archived.state, archived.retried) == (State.ARCHIVED, 0)
    assert archived.error.startswith("never")
    while await broker.get("default", gone.id):
        await asyncio.sleep(0.02)
    counts = await broker.counts("default")
    assert counts == dict.fromkeys(State, 0) | {
        State.COMPLETED: 1,
        State.RETRY: 1,
        State.ARCHIVED: 1,
    }


async def test_a_job_in_a_group_counts_as_aggregating(go: Peer, broker: RedisBroker) -> None:
    [job] = go.enqueue({"type": "work", "payload": b"{}", "group": "g"})

    counts = await broker.counts("default")
    found = await broker.get("default", job.id)

    assert counts[State.AGGREGATING] == 1
    assert found
    assert found.state is State.AGGREGATING


async def test_a_go_server_is_shown_with_what_it_runs_until_it_stops(
    go: Peer, broker: RedisBroker, journal: Journal
) -> None:
    settings = {"queues": {"default": 2, "mail": 1}, "concurrency": 7, "shutdown_timeout": 0.1}
    job: Spec = {"type": "rest", "payload": b'{"seconds": 3600}', "timeout": 600}
    with GoServer(go, journal, strict=True, **settings) as server:
        await server.started()
        [task] = go.enqueue(job)
        before = time.time()

        [presence] = await _with_running_jobs(broker)
        await server.stop()

    assert presence.pid == server.pid
    assert (presence.concurrency, presence.queues) == (7, {"default": 2, "mail": 1})
    assert (presence.strict, presence.status) == (True, "active")
    [running] = presence.running
    assert (running.job_id, running.task, running.queue) == (task.id, "rest", "default")
    assert running.payload == b'{"seconds": 3600}'
    assert before - 5 <= running.started_at <= time.time()
    assert running.deadline == pytest.approx(running.started_at + 600, abs=1.5)
    assert await broker.workers() == []


async def _with_running_jobs(broker: RedisBroker) -> Sequence[Presence]:
    """The servers once they show what they run: they beat every five seconds."""
    found = await broker.workers()
    while not any(presence.running for presence in found):
        await asyncio.sleep(0.05)
        found = await broker.workers()
    return found
