"""What `examine` says about deployments of Go programs, and `mend` does for them."""

import os
import signal

import pytest

from atode import State
from atode.broker.redis.broker import RedisBroker
from tests.interop.journal import Journal
from tests.interop.peer import Peer
from tests.interop.processes import GoServer
from tests.servers.redis_store import RedisStore

TEST_SERVER = {"persistence"}
"""What is wrong with every server that tests start."""


async def codes(broker: RedisBroker) -> set[str]:
    return {each.code for each in await broker.examine()} - TEST_SERVER


@pytest.mark.usefixtures("go_server")
async def test_what_go_leaves_while_all_goes_well_is_no_finding(
    go: Peer, broker: RedisBroker
) -> None:
    done, failed, refused, *_ = go.enqueue(
        {"type": "greet", "payload": b'{"name": "A"}', "retention": 60},
        {"type": "fail", "payload": b'{"text": "no"}'},
        {"type": "refuse", "payload": b'{"text": "never"}'},
        {"type": "work", "payload": b"{}", "group": "g"},
        {"type": "work", "payload": b"{}", "delay": 3600},
        {"type": "work", "payload": b'{"n": 1}', "delay": 3600, "unique": 7200},
        {"type": "rest", "payload": b'{"seconds": 60}', "timeout": 600},
    )
    await go.task_in("completed", done.id)
    await go.task_in("retry", failed.id)
    await go.task_in("archived", refused.id)

    assert await codes(broker) == set()


async def test_a_go_server_that_was_killed_is_told_of_and_forgotten(
    go: Peer, broker: RedisBroker, redis_store: RedisStore, journal: Journal
) -> None:
    with GoServer(go, journal) as server:
        await server.started()
        os.kill(server.pid, signal.SIGKILL)
    [entry] = redis_store.do("ZRANGE", "asynq:servers", 0, -1)
    # Ten seconds of waiting, and the minute after that.
    redis_store.do("DEL", entry)
    redis_store.do("ZADD", "asynq:servers", 1, entry)

    found = await broker.examine()
    [done] = await broker.mend(found)

    assert "dead-worker" in {each.code for each in found}
    assert done.what == "dead workers forgotten: 1"
    assert go.servers() == []


async def test_a_job_that_asynq_has_lost_is_in_its_archive_again(
    go: Peer, broker: RedisBroker, redis_store: RedisStore
) -> None:
    """Trap 1, and the hash of trap 2 that breaks the queue's page."""
    lost, _ = go.enqueue({"type": "work", "payload": b"{}"}, {"type": "work", "payload": b"{}"})
    redis_store.do("LREM", "asynq:{default}:pending", 0, lost.id)
    redis_store.do("HSET", f"asynq:{{default}}:t:{lost.id}", "state", "active")
    redis_store.do("LPUSH", "asynq:{default}:pending", "evicted")

    await broker.mend(await broker.examine())

    assert [task.id for task in go.tasks("archived")] == [lost.id]
    assert go.queue().size == 2
    go.run(lost.id)
    assert (await broker.counts("default"))[State.PENDING] == 2


async def test_a_page_that_asynq_cannot_show_is_shown_again(
    go: Peer, broker: RedisBroker, redis_store: RedisStore
) -> None:
    """Trap 4: what nobody can read is left out of asynq's lists."""
    broken, whole = go.enqueue(
        {"type": "work", "payload": b"{}", "delay": 600},
        {"type": "work", "payload": b"{}", "delay": 600},
    )
    redis_store.do("HSET", f"asynq:{{default}}:t:{broken.id}", "msg", b"\x0a\x02\xff\xfe")
    hidden = [task.id for task in go.tasks("scheduled")]

    await broker.mend(await broker.examine())

    assert hidden == [whole.id]
    [shown] = go.tasks("archived")
    assert (shown.id, shown.type, shown.payload) == (broken.id, "undecodable", b"\x0a\x02\xff\xfe")
