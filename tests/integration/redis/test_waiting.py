"""Waiting for work on real connections: no polling, no spinning, no blocking beyond the limit."""

import asyncio
import time

import pytest

from atode.broker.redis.broker import RedisBroker
from atode.clock import SystemClock
from atode.outcome import Settlement, Tally
from tests.integration.plain_job import a_job
from tests.servers.redis_store import RedisStore


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


def commands_done(store: RedisStore) -> int:
    stats = store.do("INFO", "stats")
    return int(stats["total_commands_processed"])


async def test_a_wait_ends_after_its_limit(broker: RedisBroker) -> None:
    start = time.monotonic()

    await broker.wait(["a", "b"], at_most=0.2)

    assert 0.15 < time.monotonic() - start < 5


async def test_a_wait_polls_nothing(broker: RedisBroker, redis_store: RedisStore) -> None:
    await broker.wait(["a", "b"], at_most=0.1)
    before = commands_done(redis_store)

    await broker.wait(["a", "b"], at_most=0.5)

    # Two looks at `paused`, and this INFO; the blocking commands are still at work.
    assert commands_done(redis_store) - before <= 3


async def test_waits_after_each_other_see_each_job(broker: RedisBroker) -> None:
    for n in range(20):
        waiting = asyncio.ensure_future(broker.wait(["a", "b"], at_most=60))
        await asyncio.sleep(0.005)
        await broker.enqueue([a_job(f"j{n}", "ab"[n % 2])])
        await asyncio.wait_for(waiting, 10)
        [claim] = await broker.claim(["a", "b"], limit=9, lease=10, worker="w1")
        await broker.settle([Settlement(claim, None, Tally.SUCCESS)])


async def test_a_job_that_is_gone_already_does_not_end_the_next_wait(broker: RedisBroker) -> None:
    await broker.wait(["a"], at_most=0.05)
    await broker.enqueue([a_job("j1", "a")])
    await broker.claim(["a"], limit=1, lease=10, worker="w1")
    await asyncio.sleep(0.05)
    start = time.monotonic()

    await broker.wait(["a"], at_most=0.2)

    assert time.monotonic() - start > 0.15


async def test_two_waits_at_once_are_both_woken(broker: RedisBroker) -> None:
    waiting = [asyncio.ensure_future(broker.wait(["a"], at_most=60)) for _ in range(2)]
    await asyncio.sleep(0.05)

    await broker.enqueue([a_job("j1", "a")])

    await asyncio.wait_for(asyncio.gather(*waiting), 10)


async def test_cancelled_waits_leave_no_connections_behind(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    for _ in range(20):
        waiting = asyncio.ensure_future(broker.wait(["a"], at_most=60))
        await asyncio.sleep(0.005)
        waiting.cancel()

    # One that blocks, some for calls (a cancelled one is replaced), and the store's own.
    assert int(redis_store.do("INFO", "clients")["connected_clients"]) <= 4


async def test_jobs_of_a_paused_queue_do_not_end_a_wait(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_job("j1", "a")])
    redis_store.do("SET", "asynq:{a}:paused", 1)
    start = time.monotonic()

    await broker.wait(["a", "b"], at_most=0.3)

    assert time.monotonic() - start > 0.25


async def test_a_queue_that_goes_on_ends_a_wait(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_job("j1", "a")])
    redis_store.do("SET", "asynq:{a}:paused", 1)
    waiting = asyncio.ensure_future(broker.wait(["a"], at_most=60))
    await asyncio.sleep(0.05)

    redis_store.do("DEL", "asynq:{a}:paused")

    await asyncio.wait_for(waiting, 10)


async def test_closing_ends_what_still_blocks(redis_url: str, redis_store: RedisStore) -> None:
    broker = RedisBroker(redis_url)
    await broker.wait(["a"], at_most=0.05)
    await broker.promote(["a"])

    await broker.close()

    while int(redis_store.do("INFO", "clients")["connected_clients"]) > 1:
        await asyncio.sleep(0.01)
