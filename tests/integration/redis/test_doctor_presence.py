"""What `examine` says about workers and schedulers, and what `mend` makes of what they left."""

import time
from collections.abc import Sequence

import pytest

from atode.broker.redis.broker import RedisBroker
from atode.broker.redis.wire import SchedulerEntry, set_instant
from atode.clock import SystemClock
from atode.finding import Finding, Severity
from atode.presence import Presence
from tests.servers.redis_store import RedisStore

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
DAY = 86_400


@pytest.fixture
def clock() -> SystemClock:
    # Times to live are the server's.
    return SystemClock()


async def examined(broker: RedisBroker) -> Sequence[Finding]:
    return [each for each in await broker.examine() if each.code != "persistence"]


async def only(broker: RedisBroker) -> Finding:
    [finding] = await examined(broker)
    return finding


def presence(worker: str) -> Presence:
    host, pid, _ = worker.split(":")
    return Presence(worker, host, int(pid), 9, {"default": 1}, False, "active", time.time())


async def test_a_living_worker_is_well(broker: RedisBroker) -> None:
    await broker.beat(presence("h:1:w"), lifetime=10.5)

    assert await examined(broker) == []


async def test_workers_that_were_killed_are_forgotten(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.beat(presence("h:1:w"), lifetime=10)
    long_ago = int(time.time()) - 100
    for index in ("servers", "workers"):
        redis_store.do("ZADD", f"asynq:{index}", long_ago, f"asynq:{index}:{{h:2:dead}}")

    finding = await only(broker)

    assert (finding.severity, finding.code, finding.fixable) == (INFO, "dead-worker", True)
    assert "ended without taking their leave: 1; the first is h:2:dead" in finding.what
    [done] = await broker.mend([finding])
    assert done.what == "dead workers forgotten: 1"
    assert await examined(broker) == []
    for index in ("servers", "workers"):
        members = redis_store.do("ZRANGE", f"asynq:{index}", 0, -1)
        assert members == [f"asynq:{index}:{{h:1:w}}".encode()]


@pytest.mark.parametrize(
    ("ahead", "severity", "text"),
    [(60, ERROR, "s ahead of"), (-60, ERROR, "s behind"), (6, WARNING, "s ahead of")],
)
async def test_a_worker_whose_clock_is_wrong(
    broker: RedisBroker, redis_store: RedisStore, ahead: int, severity: Severity, text: str
) -> None:
    """Trap 11: its score is by its own clock, its time to live by the server's."""
    await broker.beat(presence("h:1:w"), lifetime=10)
    redis_store.do("ZINCRBY", "asynq:servers", ahead, "asynq:servers:{h:1:w}")

    finding = await only(broker)

    assert (finding.severity, finding.code) == (severity, "clock")
    assert finding.subject == "worker h:1:w"
    assert text in finding.what


async def test_a_worker_whose_clock_is_wrong_serves_its_queues_all_the_same(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.beat(presence("h:1:w"), lifetime=10)
    redis_store.do("ZINCRBY", "asynq:servers", -60, "asynq:servers:{h:1:w}")
    redis_store.do("SADD", "asynq:queues", "default")
    redis_store.do("ZADD", "asynq:{default}:retry", int(time.time()) - 600, "ghost")

    assert "no-worker" not in {each.code for each in await examined(broker)}


async def test_a_worker_that_somebody_has_taken_for_dead(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.beat(presence("h:1:w"), lifetime=10)
    redis_store.do("ZREM", "asynq:servers", "asynq:servers:{h:1:w}")

    finding = await only(broker)

    assert (finding.severity, finding.code) == (WARNING, "unlisted-worker")
    assert "h:1:w" in finding.what


def show_scheduler(store: RedisStore, name: str, entry: str, *, expires: float) -> None:
    """Section 12: heartbeat."""
    record = SchedulerEntry(id=entry, spec="@every 30s", task_type="tick")
    set_instant(record.next_enqueue_time, time.time() + 30)
    set_instant(record.prev_enqueue_time, 0)
    key = f"asynq:schedulers:{{{name}}}"
    store.do("ZADD", "asynq:schedulers", int(expires), key)
    store.do("LPUSH", key, record.SerializeToString())


async def test_a_living_scheduler_keeps_its_history(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    show_scheduler(redis_store, "h:1:s", "e-1", expires=time.time() + 20)
    redis_store.do("ZADD", "asynq:scheduler_history:e-1", int(time.time()), "event")

    assert await examined(broker) == []


async def test_a_scheduler_that_has_ticked_before_it_showed_itself_keeps_its_history(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    redis_store.do("ZADD", "asynq:scheduler_history:e-1", int(time.time()) - 5, "event")

    assert await examined(broker) == []


async def test_the_history_of_a_schedule_that_nobody_runs_gets_an_end(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    """Trap 23."""
    show_scheduler(redis_store, "h:1:s", "e-1", expires=time.time() + 20)
    for entry in ("e-1", "gone"):
        redis_store.do("ZADD", f"asynq:scheduler_history:{entry}", int(time.time()) - 99, "event")

    finding = await only(broker)

    assert (finding.severity, finding.code) == (WARNING, "orphaned-history")
    [done] = await broker.mend([finding])
    assert done.what == "histories that end in 90 days now: 1"
    assert await examined(broker) == []
    assert 89 * DAY < redis_store.do("TTL", "asynq:scheduler_history:gone") <= 90 * DAY
    assert redis_store.do("TTL", "asynq:scheduler_history:e-1") == -1


async def test_schedulers_that_were_killed_are_forgotten(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    show_scheduler(redis_store, "h:1:s", "e-1", expires=time.time() - 100)
    redis_store.do("DEL", "asynq:schedulers:{h:1:s}")

    finding = await only(broker)

    assert (finding.severity, finding.code) == (INFO, "dead-scheduler")
    [done] = await broker.mend([finding])
    assert done.what == "dead schedulers forgotten: 1"
    assert redis_store.do("EXISTS", "asynq:schedulers") == 0


async def test_records_that_nobody_can_read_hide_nothing(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    now = int(time.time())
    redis_store.do("ZADD", "asynq:servers", now + 10, "asynq:servers:{h:1:w}")
    redis_store.do("SET", "asynq:servers:{h:1:w}", b"\xff", "EX", 10)
    redis_store.do("ZADD", "asynq:schedulers", now + 10, "asynq:schedulers:{h:1:s}")
    redis_store.do("LPUSH", "asynq:schedulers:{h:1:s}", b"\xff")
    redis_store.do("ZADD", "asynq:scheduler_history:gone", now - 99, "event")

    assert {each.code for each in await examined(broker)} == {"orphaned-history"}
