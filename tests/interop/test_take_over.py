"""What one side leaves behind, killed, frozen or stopped, the other side runs."""

import time
from types import ModuleType
from typing import cast

from atode import State
from atode.broker.redis.broker import RedisBroker
from atode.job import Job
from atode.outcome import Succeeded, decide
from atode.retry import Retry
from tests.faults.journal import eventually
from tests.interop.journal import Journal
from tests.interop.peer import Peer, Spec
from tests.interop.processes import GoServer, PythonWorker
from tests.servers.redis_store import RedisStore
from tests.servers.waiting import until

LEASE = "asynq:{default}:lease"
PATIENCE = 30
"""Seconds that asynq leaves to a lease that has run out."""


def age_leases(store: RedisStore) -> None:
    """Let every lease have run out so long ago that everybody may take its job over.

    It keeps the fraction by which the two sides tell their leases apart.
    """
    for job_id, score in _leases(store).items():
        store.do("ZADD", LEASE, "XX", repr(score % 1 + int(time.time()) - PATIENCE - 2), job_id)


def _leases(store: RedisStore) -> dict[str, float]:
    return cast("dict[str, float]", store.dump().get(LEASE, {}))


# Killed


async def test_go_runs_the_jobs_of_a_python_worker_that_was_killed(
    app: ModuleType, go: Peer, redis_url: str, redis_store: RedisStore, journal: Journal
) -> None:
    async with app.jobs:
        with PythonWorker(redis_url, journal) as victim:
            await victim.started()
            handles = [await app.rest.options(headers={"n": str(n)}).enqueue(0.5) for n in range(5)]
            ids = [handle.id for handle in handles]
            await journal.has("start", *ids)
            victim.kill()
    age_leases(redis_store)
    assert all(task.orphaned for task in go.tasks("active"))

    with GoServer(go, journal, retry_delay=0.1) as heir:
        await heir.started()
        ends = await journal.has("end", *ids, side="go")

    assert {end.id: end.headers["n"] for end in ends} == {
        handle.id: str(n) for n, handle in enumerate(handles)
    }
    assert {end.retried for end in ends} == {1}
    assert journal.ids("end") == dict.fromkeys(ids, 1)


async def test_python_runs_the_jobs_of_a_go_server_that_was_killed(
    go: Peer, redis_url: str, redis_store: RedisStore, journal: Journal
) -> None:
    spec: Spec = {"type": "rest", "payload": b'{"seconds": 0.5}', "headers": {"trace": "abc"}}
    with GoServer(go, journal) as victim:
        await victim.started()
        ids = [task.id for task in go.enqueue(*[spec] * 5)]
        await journal.has("start", *ids)
        victim.kill()

    with PythonWorker(redis_url, journal) as heir:
        await heir.started()
        # Go's leases are respected for as long as they hold, and then some.
        [probe] = go.enqueue({"type": "work", "payload": b"{}"})
        await journal.has("end", probe.id)
        assert not journal.entries("start", "python")[1:]
        age_leases(redis_store)
        ends = await journal.has("end", *ids, side="python")

    assert {(end.retried, end.headers["trace"]) for end in ends} == {(1, "abc")}
    assert journal.ids("end") == dict.fromkeys([*ids, probe.id], 1)


async def test_go_archives_the_job_of_a_killed_worker_that_has_no_retries_left(
    app: ModuleType, go: Peer, redis_url: str, redis_store: RedisStore, journal: Journal
) -> None:
    async with app.jobs:
        with PythonWorker(redis_url, journal) as victim:
            await victim.started()
            handle = await app.rest.options(max_retry=0).enqueue(3600)
            await journal.has("start", handle.id)
            victim.kill()
    age_leases(redis_store)

    with GoServer(go, journal) as heir:
        await heir.started()
        archived = await go.task_in("archived", handle.id)

    assert archived.error == "asynq: task lease expired"


# Frozen


async def test_a_worker_that_wakes_up_after_go_took_its_job_over_settles_nothing(
    app: ModuleType, go: Peer, redis_url: str, redis_store: RedisStore, journal: Journal
) -> None:
    async with app.jobs:
        with PythonWorker(redis_url, journal, "--lease", "2") as sleeper:
            await sleeper.started()
            handle = await app.rest.options(retention=60).enqueue(3.0)
            await journal.has("start", handle.id, side="python")
            sleeper.freeze()
            # The claim that it had sent before would take what comes now.
            until(lambda: int(redis_store.do("INFO", "clients")["blocked_clients"]) == 0)
            age_leases(redis_store)
            with GoServer(go, journal, retry_delay=0.1) as heir:
                await heir.started()
                await journal.has("start", handle.id, side="go")

                sleeper.thaw()
                await sleeper.says("no longer ours")
                still = go.task(handle.id)
                await journal.has("end", handle.id, side="go")
                done = await go.task_in("completed", handle.id)

    assert (still.state, still.retried) == ("active", 1)
    assert (done.retried, done.error) == (1, "asynq: task lease expired")
    assert journal.ids("start", "go") == {handle.id: 1}
    # The attempt that was lost, and the one that succeeded.
    assert (go.queue().processed, go.queue().failed) == (2, 1)


async def test_a_claim_that_go_took_over_cannot_be_settled_or_extended(
    broker: RedisBroker, go: Peer, redis_store: RedisStore, journal: Journal
) -> None:
    await broker.enqueue([Job("j1", "rest", "default", b'{"seconds": 3600}')])
    [late] = await broker.claim(["default"], limit=1, lease=60, worker="w1")
    age_leases(redis_store)
    with GoServer(go, journal, retry_delay=0.1) as heir:
        await heir.started()
        await journal.has("start", "j1", side="go")

        settlement = decide(late, Succeeded(), Retry(), time.time())
        refused = await broker.settle([settlement])
        lost = await broker.extend([late], lease=60)

        assert list(refused) == [settlement]
        assert list(lost) == [late]
        assert go.task("j1").state == "active"
        assert not _leases(redis_store)["j1"] % 1


# Stopped


async def test_what_a_stopping_python_worker_hands_back_runs_in_go(
    app: ModuleType, go: Peer, redis_url: str, journal: Journal
) -> None:
    async with app.jobs:
        with PythonWorker(redis_url, journal, "--shutdown-timeout", "0.1") as leaver:
            await leaver.started()
            handle = await app.rest.enqueue(1.0)
            await journal.has("start", handle.id)
            await leaver.stop()
    with GoServer(go, journal) as heir:
        await heir.started()

        [end] = await journal.has("end", handle.id, side="go")
        # Leaving kills it, and its last line does not tell that the end is stored.
        await eventually(lambda: go.queue().processed == 1)

    # Nobody failed.
    assert end.retried == 0
    assert journal.ids("start") == {handle.id: 2}
    assert go.queue().failed == 0


async def test_what_a_stopping_go_server_hands_back_runs_in_python(
    go: Peer, redis_url: str, broker: RedisBroker, journal: Journal
) -> None:
    with GoServer(go, journal, shutdown_timeout=0.1) as leaver:
        await leaver.started()
        [task] = go.enqueue({"type": "rest", "payload": b'{"seconds": 1.0}'})
        await journal.has("start", task.id)
        await leaver.stop()
    assert (await broker.counts("default"))[State.PENDING] == 1
    with PythonWorker(redis_url, journal) as heir:
        await heir.started()

        [end] = await journal.has("end", task.id, side="python")
        await eventually(lambda: go.queue().processed == 1)

    assert end.retried == 0
    assert journal.ids("start") == {task.id: 2}
    assert go.queue().failed == 0
