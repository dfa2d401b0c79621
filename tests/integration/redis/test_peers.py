"""Go workers and clients on the same queues, and what they or a crash leave behind."""

import asyncio

import pytest

from atode.broker.redis.broker import RedisBroker
from atode.broker.redis.wire import TaskMessage
from atode.job import Claim, Job, State
from atode.outcome import Failed, Released, Succeeded, decide
from atode.retry import Retry
from atode.testing.clock import FakeClock
from atode.testing.jobs import end, ids, take
from tests.integration.plain_job import a_job
from tests.servers.redis_store import GoPeer, RedisStore

HASH = "asynq:{default}:t:"
UNKNOWN = bytes.fromhex("9a06036e6577")  # field 99, a string


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def go(redis_store: RedisStore) -> GoPeer:
    return GoPeer(redis_store)


async def reap(broker: RedisBroker) -> list[str]:
    return ids(await broker.reap(["default"], limit=100, lease=10, worker="w2"))


async def fail(broker: RedisBroker, claim: Claim, clock: FakeClock) -> list[str]:
    return ids(await end(broker, claim, Failed("boom"), clock))


# Go clients


async def test_a_job_of_a_go_client_runs_here(
    broker: RedisBroker, go: GoPeer, clock: FakeClock
) -> None:
    go.enqueue("g1", clock.now(), payload=b'{"n":1}', retry=7, headers={"a": "b"})

    [claim] = await take(broker)

    assert claim.job == Job(
        "g1", "demo", "default", b'{"n":1}', State.ACTIVE, max_retry=7, headers={"a": "b"}
    )
    assert claim.problem == ""


async def test_an_enqueue_of_a_go_client_ends_a_wait_at_once(
    broker: RedisBroker, go: GoPeer, clock: FakeClock
) -> None:
    waiting = asyncio.ensure_future(broker.wait(["other", "default"], at_most=60))
    await asyncio.sleep(0.05)

    await asyncio.to_thread(go.enqueue, "g1", clock.now())

    await asyncio.wait_for(waiting, 10)


async def test_a_scheduled_job_of_a_go_client_is_due_at_its_second(
    broker: RedisBroker, go: GoPeer, clock: FakeClock
) -> None:
    go.schedule("g1", int(clock.now()) + 5)

    first = await broker.promote(["default"])
    clock.advance(4.999)
    await broker.promote(["default"])
    early = await take(broker)
    clock.advance(0.001)
    await broker.promote(["default"])

    assert first == 1_900_000_005.0
    assert early == []
    assert [claim.job.id for claim in await take(broker)] == ["g1"]


async def test_fields_that_we_do_not_know_survive_a_retry(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock
) -> None:
    go.enqueue("g1", clock.now(), unique_key="lock", group_key="g")
    message = go.message("g1", unique_key="lock", group_key="g").SerializeToString()
    redis_store.do("HSET", HASH + "g1", "msg", message + UNKNOWN, "theirs", "kept")

    [claim] = await take(broker)
    await fail(broker, claim, clock)

    stored = redis_store.do("HGET", HASH + "g1", "msg")
    assert UNKNOWN in stored
    assert TaskMessage.FromString(stored).unique_key == "lock"
    assert redis_store.do("HGET", HASH + "g1", "theirs") == b"kept"


# Go workers


async def test_a_job_that_a_go_worker_took_over_cannot_be_settled_by_its_first_holder(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock
) -> None:
    await broker.enqueue([a_job("j1")])
    [late] = await take(broker)
    go.retry("j1", int(clock.now()))
    go.forward("j1", clock.now())
    go.dequeue(clock.now())
    before = redis_store.dump()

    refused = await fail(broker, late, clock)
    lost = await broker.extend([late], lease=10)

    assert refused == ["j1"]
    assert list(lost) == [late]
    assert redis_store.dump() == before


async def test_the_job_of_a_dead_go_worker_is_taken_over_after_thirty_more_seconds(
    broker: RedisBroker, go: GoPeer, clock: FakeClock
) -> None:
    go.enqueue("g1", clock.now())
    go.dequeue(clock.now())

    clock.advance(59)
    early = await reap(broker)
    clock.advance(1)

    assert (early, await reap(broker)) == ([], ["g1"])


async def test_expired_leases_of_go_workers_do_not_hide_ours(
    broker: RedisBroker, go: GoPeer, clock: FakeClock
) -> None:
    for n in range(20):
        go.enqueue(f"g{n}", clock.now())
        go.dequeue(clock.now() - 25)
    await broker.enqueue([a_job("j1")])
    await take(broker)
    clock.advance(11)

    assert await reap(broker) == ["j1"]


# What is broken


@pytest.mark.parametrize("message", [b'{"type":"demo"}', b"", b"\x0a\x02\xff\xfe"])
async def test_a_message_that_nobody_can_read_blocks_nobody(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock, message: bytes
) -> None:
    go.enqueue("g1", clock.now())
    redis_store.do("HSET", HASH + "g1", "msg", message)
    await broker.enqueue([a_job("j1")])

    broken, good = await take(broker)
    ending = decide(broken, Failed(broken.problem, permanent=True), Retry(), clock.now())
    refused = await broker.settle([ending])

    assert (broken.job.id, broken.problem != "", good.problem) == ("g1", True, "")
    assert refused == []
    after = TaskMessage.FromString(redis_store.do("HGET", HASH + "g1", "msg"))
    assert (after.type, after.id, after.error_msg) == ("undecodable", "g1", broken.problem)
    assert redis_store.do("ZSCORE", "asynq:{default}:archived", "g1") is not None


async def test_an_id_that_is_not_utf8_can_be_settled_with_its_batch(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    redis_store.do("HSET", HASH.encode() + b"a\xff", "msg", b"{", "state", "pending")
    redis_store.do("LPUSH", "asynq:{default}:pending", b"a\xff")
    await broker.enqueue([a_job("j1")])

    claims = await take(broker)
    assert await broker.extend(claims, lease=10) == []
    endings = [decide(c, Failed("x", permanent=True), Retry(), clock.now()) for c in claims]

    assert len(claims) == 2
    assert await broker.settle(endings) == []
    assert await broker.get("default", claims[0].job.id) is not None


async def test_ids_without_a_job_are_dropped_and_leave_nothing(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    redis_store.do("LPUSH", "asynq:{default}:pending", *(f"ghost{n}" for n in range(1200)))
    await broker.enqueue([a_job("j1")])

    claims = await take(broker, limit=3)

    assert [claim.job.id for claim in claims] == ["j1"]
    assert redis_store.do("KEYS", "*ghost*") == []
    assert redis_store.do("EXISTS", "asynq:{default}:pending") == 0


async def test_a_hash_of_nothing_but_a_state_no_longer_blocks_its_id(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    redis_store.do("HSET", HASH + "j1", "state", "active")
    redis_store.do("LPUSH", "asynq:{default}:pending", "j1")

    assert await take(broker) == []
    assert await broker.enqueue([a_job("j1")]) == []


async def test_an_id_that_is_pending_twice_is_claimed_once(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_job("j1")])
    redis_store.do("LPUSH", "asynq:{default}:pending", "j1")

    assert len(await take(broker)) == 1


async def test_due_ids_without_a_job_are_dropped_and_leave_nothing(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    redis_store.do("ZADD", "asynq:{default}:retry", int(clock.now()) - 1, "ghost")

    assert await broker.promote(["default"]) is None
    assert redis_store.do("KEYS", "asynq:*") == []


async def test_active_jobs_without_a_lease_are_recovered(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await broker.enqueue([a_job("j1")])
    await take(broker)
    redis_store.do("DEL", "asynq:{default}:lease")

    first = await reap(broker)
    clock.advance(31)

    assert (first, await reap(broker)) == ([], ["j1"])


async def test_active_ids_without_a_job_are_dropped(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    redis_store.do("LPUSH", "asynq:{default}:active", "evicted", "leased")
    redis_store.do("ZADD", "asynq:{default}:lease", int(clock.now()) - 100, "leased")

    assert await reap(broker) == []
    assert await reap(broker) == []
    assert redis_store.do("KEYS", "asynq:*") == []


async def test_a_grouped_job_goes_back_to_its_group_which_is_known_again(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock
) -> None:
    go.schedule("g1", int(clock.now()), group_key="invoices")
    redis_store.do("HSET", HASH + "g1", "group", "invoices")

    await broker.promote(["default"])

    assert redis_store.do("SMEMBERS", "asynq:{default}:groups") == {b"invoices"}
    assert redis_store.do("ZSCORE", "asynq:{default}:g:invoices", "g1") == clock.now()
    assert redis_store.do("HGET", HASH + "g1", "state") == b"aggregating"
    assert redis_store.do("ZCARD", "asynq:{default}:scheduled") == 0
    assert (await broker.counts("default"))[State.AGGREGATING] == 1


async def test_a_wrong_key_type_fails_before_anything_is_written(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await broker.enqueue([a_job("j1")])
    [claim] = await take(broker)
    redis_store.do("SET", "asynq:{default}:completed", "not a zset")
    before = redis_store.dump()

    with pytest.raises(Exception, match="WRONGTYPE"):
        await broker.settle([decide(claim, Succeeded(), Retry(), clock.now())])

    assert redis_store.dump() == before


async def test_a_key_in_the_place_of_a_job_does_not_stop_its_queue(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    redis_store.do("SET", HASH + "odd", "not a hash")
    redis_store.do("LPUSH", "asynq:{default}:pending", "odd")
    redis_store.do("ZADD", "asynq:{default}:retry", int(clock.now()), "odd")
    await broker.enqueue([a_job("j1")])

    await broker.promote(["default"])

    assert [claim.job.id for claim in await take(broker)] == ["j1"]


# Many archived jobs


async def test_a_huge_old_archive_is_taken_down_with_its_hashes(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    old = int(clock.now()) - 91 * 86_400
    redis_store.do(
        "EVAL",
        """for n = 1, 9000 do
             redis.call('ZADD', KEYS[1], ARGV[1], 'old' .. n)
             redis.call('HSET', ARGV[2] .. 'old' .. n, 'msg', '', 'state', 'archived')
           end""",
        1,
        "asynq:{default}:archived",
        old,
        HASH,
    )
    await broker.enqueue([a_job("j1")])
    [claim] = await take(broker)

    ending = decide(claim, Failed("x", permanent=True), Retry(), clock.now())
    assert await broker.settle([ending]) == []
    left = redis_store.do("ZCARD", "asynq:{default}:archived")
    gone = await broker.prune(["default"])

    assert left == 8001
    assert gone == 8000
    assert redis_store.do("ZRANGE", "asynq:{default}:archived", 0, -1) == [b"j1"]
    assert redis_store.do("KEYS", "*old*") == []


async def test_the_archive_keeps_the_newest_9999(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    redis_store.do(
        "EVAL",
        "for n = 1, 10005 do redis.call('ZADD', KEYS[1], ARGV[1] + n, 'a' .. n) end",
        1,
        "asynq:{default}:archived",
        int(clock.now()) - 20_000,
    )

    gone = await broker.prune(["default"])

    assert gone == 6
    assert redis_store.do("ZRANGE", "asynq:{default}:archived", 0, 0) == [b"a7"]


# Pausing


async def test_a_paused_queue_gives_no_jobs_but_promotes_and_recovers(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await broker.enqueue([a_job("j1"), a_job("j2", due=clock.now() + 1)])
    [claim] = await take(broker)
    await broker.settle([decide(claim, Released(), Retry(), clock.now())])
    redis_store.do("SET", "asynq:{default}:paused", int(clock.now()))
    clock.advance(1)

    await broker.promote(["default"])

    assert await take(broker) == []
    assert (await broker.counts("default"))[State.PENDING] == 2
