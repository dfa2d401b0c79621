"""asynq's Inspector reads and moves what Python wrote."""

import math
import socket
import time
from types import ModuleType

import pytest

from atode import State
from atode.broker.redis.broker import RedisBroker
from atode.job import Claim, Job
from atode.outcome import Failed, Outcome, Snoozed, Succeeded, decide
from atode.retry import Retry, fixed
from tests.faults.journal import eventually
from tests.interop.journal import Journal
from tests.interop.peer import GoError, Peer
from tests.interop.processes import PythonWorker

HOUR = 3600.0
WAITING = ("pending", "scheduled", "retry", "archived", "completed")
HEADERS = {"trace": "abc"}


async def claimed(broker: RedisBroker) -> list[Claim]:
    return list(await broker.claim(["default"], limit=10, lease=60, worker="w1"))


async def settled(broker: RedisBroker, outcome: Outcome) -> None:
    [claim] = await claimed(broker)
    settlement = decide(claim, outcome, Retry(25, fixed(HOUR)), time.time())
    assert not await broker.settle([settlement])


async def a_job_in(broker: RedisBroker, state: str) -> Job:
    """One job in the state that is its id, where it got by ordinary ways."""
    job = Job(state, "demo", "default", b'{"n":1}', headers=HEADERS, retention=HOUR)
    if state == "scheduled":
        job = job._replace(state=State.SCHEDULED, due=math.floor(time.time()) + HOUR + 0.25)
    await broker.enqueue([job])
    match state:
        case "active":
            await claimed(broker)
        case "retry":
            await settled(broker, Failed("壊れた"))
        case "archived":
            await settled(broker, Failed("hopeless", permanent=True))
        case "completed":
            await settled(broker, Succeeded(b'"done"'))
        case _:
            pass
    return job


# Reading


@pytest.mark.parametrize("state", [*WAITING, "active"])
async def test_a_job_in_each_state_is_listed_with_all_it_has(
    go: Peer, broker: RedisBroker, state: str
) -> None:
    await a_job_in(broker, state)

    [task] = go.tasks(state)

    assert (task.id, task.type, task.queue, task.state) == (state, "demo", "default", state)
    assert (task.payload, task.headers) == (b'{"n":1}', HEADERS)
    assert (task.max_retry, task.timeout, task.retention) == (25, 1800, HOUR)
    assert not task.orphaned
    assert go.task(state).state == state


async def test_errors_results_and_instants_are_read(go: Peer, broker: RedisBroker) -> None:
    before = math.floor(time.time())
    jobs = {state: await a_job_in(broker, state) for state in WAITING[1:]}

    tasks = {state: go.task(state) for state in WAITING[1:]}

    now = time.time()
    # Whole seconds, rounded up, so that nothing of asynq's starts a job too early.
    assert tasks["scheduled"].next_process_at == math.ceil(jobs["scheduled"].due)
    assert before + HOUR <= tasks["retry"].next_process_at <= now + HOUR + 1
    assert (tasks["retry"].error, tasks["retry"].retried) == ("壊れた", 1)
    assert before <= tasks["retry"].last_failed_at <= now
    assert (tasks["archived"].error, tasks["archived"].retried) == ("hopeless", 0)
    assert before <= tasks["archived"].last_failed_at <= now
    assert tasks["completed"].result == b'"done"'
    assert before <= tasks["completed"].completed_at <= now


async def test_a_snoozed_job_waits_without_a_failure(go: Peer, broker: RedisBroker) -> None:
    await a_job_in(broker, "pending")
    await settled(broker, Snoozed(HOUR))

    [task] = go.tasks("retry")

    assert (task.retried, task.error, task.last_failed_at) == (0, "", 0)
    assert task.next_process_at == pytest.approx(time.time() + HOUR, abs=5)
    assert (go.queue().processed, go.queue().failed) == (0, 0)


async def test_a_queue_is_counted(go: Peer, broker: RedisBroker) -> None:
    for state in (*WAITING[1:], "active", "pending"):
        await a_job_in(broker, state)

    info = go.queue()
    [today] = go.history(1)

    assert go.queues() == {"default"}
    assert (info.pending, info.active, info.scheduled, info.retry) == (1, 1, 1, 1)
    assert (info.archived, info.completed, info.aggregating, info.size) == (1, 1, 0, 6)
    assert (info.processed, info.failed) == (today.processed, today.failed) == (3, 2)
    assert (info.processed_total, info.failed_total) == (3, 2)
    assert 0 < info.latency < 60
    assert info.memory > 0


async def test_jobs_are_listed_in_the_order_in_which_they_will_run(
    go: Peer, broker: RedisBroker
) -> None:
    ids = [f"j{n}" for n in range(5)]
    await broker.enqueue([Job(name, "demo", "default", b"{}") for name in ids])

    assert [task.id for task in go.tasks("pending")] == ids
    assert [claim.job.id for claim in await claimed(broker)] == ids


async def test_a_worker_is_shown_with_what_it_runs_until_it_stops(
    app: ModuleType, go: Peer, redis_url: str, journal: Journal
) -> None:
    options = ("--concurrency", "7", "--queue", "default=2", "--queue", "mail=1")
    async with app.jobs:
        with PythonWorker(redis_url, journal, *options, "--shutdown-timeout", "0") as worker:
            await worker.started()
            before = time.time()
            handle = await app.rest.options(timeout=600).enqueue(3600)
            await eventually(lambda: [job for server in go.servers() for job in server.running])

            [server] = go.servers()
            [running] = server.running
            await worker.stop()

    assert (server.host, server.pid) == (socket.gethostname() or "unknown-host", worker.pid)
    assert (server.concurrency, server.queues) == (7, {"default": 2, "mail": 1})
    assert (server.status, server.strict) == ("active", False)
    assert (running.id, running.type, running.queue) == (handle.id, "rest", "default")
    assert running.payload == b'{"seconds":3600.0}'
    assert before <= running.started <= time.time()
    assert running.deadline == pytest.approx(running.started + 600, abs=0.001)
    assert go.servers() == []


# Moving


@pytest.mark.parametrize("state", WAITING[1:])
async def test_a_job_that_go_runs_can_be_claimed_at_once(
    go: Peer, broker: RedisBroker, state: str
) -> None:
    await a_job_in(broker, state)

    go.run(state)

    [claim] = await claimed(broker)
    assert (claim.job.id, claim.job.headers, claim.problem) == (state, HEADERS, "")
    [settlement] = [decide(claim, Failed("again"), Retry(25, fixed(HOUR)), time.time())]
    assert not await broker.settle([settlement])
    assert go.task(state).error == "again"


@pytest.mark.parametrize("state", ["pending", "scheduled", "retry", "completed"])
async def test_a_job_that_go_archives_is_out_of_reach(
    go: Peer, broker: RedisBroker, state: str
) -> None:
    await a_job_in(broker, state)

    go.archive(state)

    assert await claimed(broker) == []
    job = await broker.get("default", state)
    assert job
    assert job.state is State.ARCHIVED
    assert [task.id for task in go.tasks("archived")] == [state]


@pytest.mark.parametrize("state", WAITING)
async def test_a_job_that_go_deletes_leaves_nothing_behind(
    go: Peer, broker: RedisBroker, state: str
) -> None:
    job = await a_job_in(broker, state)

    go.delete(state)

    assert await broker.get("default", state) is None
    assert set((await broker.counts("default")).values()) == {0}
    # Its id is free again.
    assert await broker.enqueue([job]) == []


async def test_go_leaves_alone_what_a_python_worker_is_running(
    go: Peer, broker: RedisBroker
) -> None:
    await a_job_in(broker, "active")

    for move in (go.run, go.archive, go.delete):
        with pytest.raises(GoError):
            move("active")

    assert (await broker.counts("default"))[State.ACTIVE] == 1


async def test_go_moves_all_jobs_of_a_state(go: Peer, broker: RedisBroker) -> None:
    for state in WAITING[1:]:
        await a_job_in(broker, state)

    assert go.archive_all("scheduled") == 1
    assert go.run_all("retry") == 1
    assert go.delete_all("completed") == 1

    counts = await broker.counts("default")
    assert (counts[State.ARCHIVED], counts[State.PENDING], sum(counts.values())) == (2, 1, 3)
    assert [claim.job.id for claim in await claimed(broker)] == ["retry"]


async def test_a_payload_that_go_replaced_is_the_one_that_runs(
    go: Peer, broker: RedisBroker
) -> None:
    await a_job_in(broker, "scheduled")

    go.update("scheduled", b'{"n":2}')
    go.run("scheduled")

    [claim] = await claimed(broker)
    assert claim.job.payload == b'{"n":2}'


async def test_a_worker_does_not_touch_a_queue_that_go_paused(
    app: ModuleType, go: Peer, redis_url: str, journal: Journal
) -> None:
    async with app.jobs:
        options = ("--queue", "default", "--queue", "other")
        with PythonWorker(redis_url, journal, *options) as worker:
            await worker.started()
            first = await app.work.options(queue="default").enqueue()
            await journal.has("end", first.id)

            go.pause()
            held = await app.work.enqueue()
            other = await app.work.options(queue="other").enqueue()
            await journal.has("end", other.id)
            paused = journal.ids("start")
            go.unpause()

            await journal.has("end", held.id)
    assert held.id not in paused


async def test_a_queue_that_go_removed_is_there_again_with_the_next_job(
    go: Peer, broker: RedisBroker
) -> None:
    await a_job_in(broker, "pending")
    go.delete("pending")
    go.remove("default")
    assert go.queues() == set()

    await a_job_in(broker, "pending")

    assert go.queues() == {"default"}
    assert [task.id for task in go.tasks("pending")] == ["pending"]
