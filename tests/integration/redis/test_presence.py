"""A worker's presence in Redis is what asynq's tools read (the protocol's section 11)."""

from atode.broker.redis.broker import RedisBroker
from atode.broker.redis.wire import NEVER, ServerInfo, Timestamp, WorkerInfo
from atode.presence import Presence, Running
from atode.testing.clock import FakeClock
from tests.integration.redis.stage import START, WORKER
from tests.servers.redis_store import RedisStore


async def test_a_beat_writes_server_and_running_jobs(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    presence = Presence(
        worker=WORKER,
        host="h1",
        pid=4242,
        concurrency=10,
        queues={"mail": 1},
        strict=False,
        status="active",
        started_at=float(START),
        running=(Running("j1", "mail:send", "mail", b"{}", START + 1.5, 0.0),),
        running_count=1,
    )

    await broker.beat(presence, lifetime=10)

    server, workers = f"asynq:servers:{{{WORKER}}}", f"asynq:workers:{{{WORKER}}}"
    found = redis_store.dump()
    left = redis_store.expiring()
    assert ServerInfo.FromString(redis_store.do("GET", server)) == ServerInfo(
        host="h1",
        pid=4242,
        server_id="s-1",
        concurrency=10,
        queues={"mail": 1},
        status="active",
        start_time=Timestamp(seconds=START),
        active_worker_count=1,
    )
    assert WorkerInfo.FromString(redis_store.do("HGET", workers, "j1")) == WorkerInfo(
        host="h1",
        pid=4242,
        server_id="s-1",
        task_id="j1",
        task_type="mail:send",
        task_payload=b"{}",
        queue="mail",
        start_time=Timestamp(seconds=START + 1, nanos=500_000_000),
        deadline=Timestamp(seconds=NEVER),
    )
    assert found["asynq:servers"] == {server: START + 10}
    assert found["asynq:workers"] == {workers: START + 10}
    private = "asynq:wish:{h1:4242:s-1}"
    assert set(found) == {"asynq:servers", "asynq:workers", server, workers, private}
    assert set(left) == {server, workers, private}
    assert all(8 <= seconds <= 10 for seconds in left.values())


async def test_a_beat_forgets_jobs_that_ended(broker: RedisBroker, redis_store: RedisStore) -> None:
    busy = Presence(
        WORKER, "h1", 4242, 1, {"mail": 1}, False, "active", float(START),
        (Running("j1", "t", "mail", b"", float(START), float(START)),), 1,
    )  # fmt: skip
    await broker.beat(busy, lifetime=10)

    await broker.beat(busy._replace(running=(), running_count=0), lifetime=10)

    assert redis_store.do("EXISTS", f"asynq:workers:{{{WORKER}}}") == 0
    await broker.leave(busy)
    assert redis_store.dump() == {}


async def test_reading_workers_sweeps_out_the_dead(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    dead = Presence("h:1:dead", "h", 1, 1, {"mail": 1}, False, "active", float(START))
    await broker.beat(dead, lifetime=10)
    clock.advance(60)

    await broker.workers()

    assert redis_store.do("EXISTS", "asynq:servers", "asynq:workers") == 0


async def test_records_that_nobody_can_read_are_left_out(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    alive = Presence("h:1:a", "h", 1, 1, {"mail": 1}, True, "stopped", float(START))
    await broker.beat(alive, lifetime=10)
    for name in ("expired", "broken"):
        redis_store.do("ZADD", "asynq:servers", START + 9, f"asynq:servers:{{h:1:{name}}}")
    redis_store.do("SET", "asynq:servers:{h:1:broken}", b"\xff")

    assert list(await broker.workers()) == [alive]
