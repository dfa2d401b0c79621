"""Delayed jobs come at their instant: to the millisecond, in order, and never before."""

import asyncio

import pytest

from atode.broker.redis.broker import RedisBroker
from atode.clock import SystemClock
from atode.outcome import Snoozed, decide
from atode.retry import Retry
from atode.testing.clock import FakeClock
from tests.integration.plain_job import a_job
from tests.servers.redis_store import GoPeer, RedisStore


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def ready(broker: RedisBroker) -> list[str]:
    await broker.promote(["default"])
    claims = await broker.claim(["default"], limit=5000, lease=10, worker="w1")
    return [claim.job.id for claim in claims]


@pytest.mark.parametrize("delay", [0.001, 0.5, 0.999, 1.0, 1.001, 59.9])
async def test_a_job_comes_at_its_millisecond(
    broker: RedisBroker, clock: FakeClock, delay: float
) -> None:
    due = clock.now() + delay
    await broker.enqueue([a_job("j1", due=due)])

    clock.advance(due - clock.now() - 0.0005)
    early = await ready(broker)
    clock.advance(due - clock.now())

    assert (early, await ready(broker)) == ([], ["j1"])


async def test_a_claim_tells_exactly_when_its_job_was_due(
    broker: RedisBroker, clock: FakeClock
) -> None:
    due = clock.now() + 0.1 + 0.2
    await broker.enqueue([a_job("j1", due=due)])
    clock.advance(1)
    await broker.promote(["default"])

    [claim] = await broker.claim(["default"], limit=1, lease=10, worker="w1")

    assert claim.job.due == due


async def test_an_old_due_instant_is_not_believed_of_what_a_go_program_made_pending(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    peer = GoPeer(redis_store)
    await broker.enqueue([a_job("j1", due=clock.now() + 1)])
    clock.advance(2)
    await broker.promote(["default"])
    peer.dequeue(clock.now())
    peer.retry("j1", int(clock.now()) + 60)
    clock.advance(60)
    peer.forward("j1", clock.now())

    [claim] = await broker.claim(["default"], limit=1, lease=10, worker="w1")

    assert redis_store.fields("default", "j1").keys() == {"msg", "state", "owner", "claims"}
    assert claim.job.due == 0


@pytest.mark.parametrize("text", ["", "@", "nonsense", "1e400@{since}", "x@{since}", "nan@{since}"])
async def test_a_broken_due_instant_keeps_no_job_from_running(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock, text: str
) -> None:
    await broker.enqueue([a_job("j1", due=clock.now() + 1)])
    clock.advance(2)
    await broker.promote(["default"])
    since = redis_store.fields("default", "j1")["pending_since"]
    key = "asynq:{default}:t:j1"
    redis_store.do("HSET", key, "was_due", text.replace("{since}", str(since)))

    assert await ready(broker) == ["j1"]


async def test_a_due_instant_comes_back_exactly(broker: RedisBroker, clock: FakeClock) -> None:
    due = clock.now() + 0.1 + 0.2
    await broker.enqueue([a_job("j1", due=due)])

    job = await broker.get("default", "j1")

    assert job is not None
    assert job.due == due


async def test_jobs_of_one_second_come_in_the_order_of_their_instants(
    broker: RedisBroker, clock: FakeClock
) -> None:
    # Ids in the opposite order: within one score Redis sorts by them.
    jobs = [a_job(f"j{9 - n}", due=clock.now() + 0.1 * n) for n in range(1, 9)]
    await broker.enqueue(jobs)
    clock.advance(0.9)

    assert await ready(broker) == [job.id for job in jobs]


async def test_scheduled_jobs_and_retries_come_in_one_order(
    broker: RedisBroker, clock: FakeClock
) -> None:
    await broker.enqueue([a_job("first", due=clock.now() + 0.1)])
    clock.advance(0.1)
    await broker.promote(["default"])
    [claim] = await broker.claim(["default"], limit=1, lease=10, worker="w1")
    await broker.settle([decide(claim, Snoozed(0.25), Retry(), clock.now())])
    await broker.enqueue(
        [a_job("before", due=clock.now() + 0.2), a_job("after", due=clock.now() + 0.3)]
    )
    clock.advance(1)

    assert await ready(broker) == ["before", "first", "after"]


async def test_a_stale_instant_of_an_earlier_attempt_does_not_count(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    # An operator ran it from a dashboard, a Go worker failed and scheduled the retry.
    await broker.enqueue([a_job("j1", due=clock.now() + 0.5)])
    second = int(clock.now()) + 5
    redis_store.do("ZREM", "asynq:{default}:scheduled", "j1")
    GoPeer(redis_store).retry("j1", second)

    assert await broker.promote(["default"]) == second
    clock.advance(4.9)

    job = await broker.get("default", "j1")
    assert await ready(broker) == []
    assert job is not None
    assert job.due == second


async def test_the_next_instant_is_exact_where_few_jobs_share_a_second(
    broker: RedisBroker, clock: FakeClock
) -> None:
    now = clock.now()
    await broker.enqueue(
        [a_job("a", due=now + 90.75), a_job("b", due=now + 90.25), a_job("c", due=now + 91)]
    )

    assert await broker.promote(["default"]) == now + 90.25


async def test_a_crowded_second_is_looked_at_when_it_starts(
    broker: RedisBroker, clock: FakeClock
) -> None:
    now = clock.now()
    await broker.enqueue([a_job(f"j{n}", due=now + 9.5 + n / 1000) for n in range(300)])

    coming = await broker.promote(["default"])
    clock.advance(9)
    within = await broker.promote(["default"])
    clock.advance(0.495)
    soon = await broker.promote(["default"])

    assert coming == now + 9
    assert within == now + 9.5
    assert soon == pytest.approx(now + 9.505)


async def test_more_than_a_window_of_due_jobs_keep_their_order(
    broker: RedisBroker, clock: FakeClock
) -> None:
    jobs = [a_job(f"j{n:05}", due=clock.now() + 1 + n) for n in range(2500)]
    await broker.enqueue(jobs)
    clock.advance(5000)

    while (again := await broker.promote(["default"])) is not None:
        assert again == clock.now()

    assert await ready(broker) == [job.id for job in jobs]


async def test_a_wait_ends_at_the_next_whole_second(broker: RedisBroker, clock: FakeClock) -> None:
    clock.advance(0.25)
    waiting = asyncio.ensure_future(broker.wait_due(["default"], until=None))
    await asyncio.sleep(0.05)
    clock.advance(0.5)
    await asyncio.sleep(0.05)
    before = waiting.done()

    clock.advance(0.25)

    await asyncio.wait_for(waiting, 10)
    assert not before


async def test_a_job_that_is_due_later_than_expected_does_not_end_a_wait(
    broker: RedisBroker, clock: FakeClock
) -> None:
    waiting = asyncio.ensure_future(broker.wait_due(["default"], until=clock.now() + 0.3))
    await asyncio.sleep(0.05)

    await broker.enqueue([a_job("later", due=clock.now() + 0.4)])
    await asyncio.sleep(0.05)
    early = waiting.done()
    await broker.enqueue([a_job("sooner", due=clock.now() + 0.2)])

    await asyncio.wait_for(waiting, 10)
    assert not early


async def test_a_short_snooze_ends_a_wait(broker: RedisBroker, clock: FakeClock) -> None:
    await broker.enqueue([a_job("j1", due=clock.now())])
    await broker.promote(["default"])
    [claim] = await broker.claim(["default"], limit=1, lease=10, worker="w1")
    waiting = asyncio.ensure_future(broker.wait_due(["default"], until=None))
    await asyncio.sleep(0.05)

    await broker.settle([decide(claim, Snoozed(0.2), Retry(), clock.now())])

    await asyncio.wait_for(waiting, 10)


async def test_nonsense_on_the_channel_deafens_nobody(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    waiting = asyncio.ensure_future(broker.wait_due(["default"], until=None))
    await asyncio.sleep(0.05)

    redis_store.do("PUBLISH", "asynq:{default}:due", b"\xff soon")
    await asyncio.sleep(0.05)
    early = waiting.done()
    await broker.enqueue([a_job("j1", due=clock.now() + 0.5)])

    await asyncio.wait_for(waiting, 10)
    assert not early


async def test_what_is_stored_between_two_waits_is_not_missed(
    broker: RedisBroker, clock: FakeClock
) -> None:
    await broker.promote(["default"])
    await broker.enqueue([a_job("j1", due=clock.now() + 0.5)])

    await asyncio.wait_for(broker.wait_due(["default"], until=None), 10)


async def test_real_jobs_are_promoted_within_milliseconds(redis_url: str) -> None:
    clock = SystemClock()
    broker, client = RedisBroker(redis_url), RedisBroker(redis_url)
    await broker.promote(["default"])
    due = clock.now() + 0.3
    late: list[float] = []

    async def upkeep() -> None:
        while not late:
            until = await broker.promote(["default"])
            if await broker.claim(["default"], limit=1, lease=10, worker="w1"):
                late.append(clock.now() - due)
            else:
                await broker.wait_due(["default"], until=until)

    running = asyncio.ensure_future(upkeep())
    await asyncio.sleep(0.1)
    await client.enqueue([a_job("j1", due=due)])
    await asyncio.wait_for(running, 10)

    # The promise is 10 ms; the rest is for machines that are busy with other tests.
    assert 0 <= late[0] < 0.25
    await broker.close()
    await client.close()
