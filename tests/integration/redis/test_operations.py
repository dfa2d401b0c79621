"""What an operator does, key by key."""

from collections.abc import Sequence
from typing import Any

import pytest

from atode.broker.redis import _operations
from atode.broker.redis.broker import RedisBroker
from atode.errors import BrokerRefused
from atode.job import Job, State, fingerprint
from atode.outcome import Failed, Succeeded
from atode.testing.clock import FakeClock
from tests.integration.redis.stage import (
    NOW_NS,
    START,
    a_job,
    a_message,
    claimed,
    counters,
    end,
    stored,
)
from tests.servers.redis_store import RedisStore

UNKNOWN = bytes.fromhex("9a06036e6577")  # field 99, a string
SCHEDULED: dict[str, Any] = {"state": State.SCHEDULED, "due": START + 60.125}


def jobs(number: int, **fields: Any) -> Sequence[Job]:
    return [a_job(**fields)._replace(id=f"j{n:05}") for n in range(number)]


@pytest.mark.parametrize("which", [["j1"], State.SCHEDULED])
async def test_run(broker: RedisBroker, redis_store: RedisStore, which: list[str] | State) -> None:
    await broker.enqueue([a_job(**SCHEDULED)])

    assert await broker.run("mail", which) == 1

    assert redis_store.dump() == stored(
        pending=["j1"],
        job={"msg": a_message(), "state": "pending", "pending_since": NOW_NS},
    )


async def test_run_from_the_archive(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await end(broker, await claimed(broker), Failed("boom", permanent=True), clock)

    assert await broker.run("mail", ["j1"]) == 1

    assert redis_store.dump() == stored(
        pending=["j1"],
        job={
            "msg": a_message(error_msg="boom", last_failed_at=START),
            "state": "pending",
            "pending_since": NOW_NS,
            "claims": "1",
        },
    ) | counters(processed=1, failed=1)


async def test_a_job_that_is_run_alone_has_left_its_group(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_job(**SCHEDULED)])
    redis_store.do("HSET", "asynq:{mail}:t:j1", "group", "g")

    await broker.run("mail", ["j1"])

    assert "group" not in redis_store.fields("mail", "j1")


@pytest.mark.parametrize("which", [["j1"], State.PENDING])
async def test_archive_a_pending_job(
    broker: RedisBroker, redis_store: RedisStore, which: list[str] | State
) -> None:
    await broker.enqueue([a_job()])

    assert await broker.archive("mail", which) == 1

    assert redis_store.dump() == stored(
        archived={"j1": float(START)}, job={"msg": a_message(), "state": "archived"}
    )


async def test_archive_a_scheduled_job(broker: RedisBroker, redis_store: RedisStore) -> None:
    await broker.enqueue([a_job(**SCHEDULED)])

    assert await broker.archive("mail", ["j1"]) == 1

    assert redis_store.dump() == stored(
        archived={"j1": float(START)}, job={"msg": a_message(), "state": "archived"}
    )


async def test_what_the_archive_drops_is_deleted(
    broker: RedisBroker, redis_store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_operations, "ARCHIVE_SIZE", 3)
    await broker.enqueue(jobs(5))

    assert await broker.archive("mail", State.PENDING) == 5

    left = [name for name in redis_store.dump() if ":t:" in name]
    assert left == [f"asynq:{{mail}}:t:j{n:05}" for n in (2, 3, 4)]
    assert redis_store.do("ZCARD", "asynq:{mail}:archived") == 3


@pytest.mark.parametrize("fields", [{}, SCHEDULED])
@pytest.mark.parametrize("by_state", [False, True])
async def test_delete(
    broker: RedisBroker, redis_store: RedisStore, fields: dict[str, Any], by_state: bool
) -> None:
    job = a_job(unique=fingerprint("mail:send", b"1"), unique_for=60.0, **fields)
    await broker.enqueue([job])

    assert await broker.delete("mail", job.state if by_state else ["j1"]) == 1

    assert redis_store.dump() == stored()


async def test_delete_leaves_the_lock_of_another_job(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_job(unique="mail:send:x", unique_for=60.0)])
    lock = "asynq:{mail}:unique:mail:send:x"
    redis_store.do("SET", lock, "j2")

    await broker.delete("mail", ["j1"])

    assert redis_store.dump() == stored() | {lock: "j2"}


async def test_delete_touches_no_key_that_is_not_a_lock_of_the_queue(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_job()])
    redis_store.do("SET", "somebody:else", "j1")
    redis_store.do("HSET", "asynq:{mail}:t:j1", "unique_key", "somebody:else")

    await broker.delete("mail", ["j1"])

    assert redis_store.dump() == stored() | {"somebody:else": "j1"}


@pytest.mark.parametrize("which", [["j1"], State.AGGREGATING])
async def test_delete_a_job_that_waits_in_a_group(
    broker: RedisBroker, redis_store: RedisStore, which: list[str] | State
) -> None:
    group_job(redis_store)

    assert await broker.delete("mail", which) == 1

    assert redis_store.dump() == stored()


def group_job(store: RedisStore) -> None:
    """Section 7.4, as a Go client does it."""
    message = a_message(group_key="g").SerializeToString()
    fields = ("msg", message, "state", "aggregating", "group", "g")
    store.do("SADD", "asynq:queues", "mail")
    store.do("HSET", "asynq:{mail}:t:j1", *fields)
    store.do("ZADD", "asynq:{mail}:g:g", START, "j1")
    store.do("SADD", "asynq:{mail}:groups", "g")


async def test_ids_without_a_job_are_dropped_and_not_counted(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_job()])
    redis_store.do("LPUSH", "asynq:{mail}:pending", "ghost")
    redis_store.do("HSET", "asynq:{mail}:t:ghost", "state", "active")

    assert await broker.delete("mail", State.PENDING) == 1

    assert redis_store.dump() == stored()


async def test_a_job_is_only_taken_from_where_it_is(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_job()])
    redis_store.do("HSET", "asynq:{mail}:t:j1", "state", "retry")
    before = redis_store.dump()

    done = [
        await operation("mail", ["j1"]) for operation in (broker.run, broker.archive, broker.delete)
    ]

    assert done == [0, 0, 0]
    assert redis_store.dump() == before


@pytest.mark.parametrize("operation", ["run", "archive", "delete"])
async def test_a_container_of_a_wrong_type_stops_everything(
    broker: RedisBroker, redis_store: RedisStore, operation: str
) -> None:
    await broker.enqueue([a_job(**SCHEDULED)])
    redis_store.do("SET", "asynq:{mail}:archived", "x")
    before = redis_store.dump()

    with pytest.raises(BrokerRefused, match="WRONGTYPE"):
        await getattr(broker, operation)("mail", ["j1"])

    assert redis_store.dump() == before


async def test_thousands_of_jobs_are_moved_in_order_by_short_calls(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue(jobs(2345, **SCHEDULED))

    assert await broker.run("mail", State.SCHEDULED) == 2345

    pending = redis_store.do("LRANGE", "asynq:{mail}:pending", 0, -1)
    assert pending[::-1] == [f"j{n:05}".encode() for n in range(2345)]
    assert await broker.archive("mail", State.PENDING) == 2345
    assert await broker.delete("mail", [f"j{n:05}" for n in range(1200)]) == 1200
    assert await broker.delete("mail", State.ARCHIVED) == 1145
    assert redis_store.dump() == stored()


async def test_many_ids_in_a_long_list_are_deleted_in_several_calls(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    # A million comparisons are the most for one call.
    await broker.enqueue(jobs(6000))

    assert await broker.delete("mail", [f"j{n:05}" for n in range(400)]) == 400

    assert (await broker.counts("mail"))[State.PENDING] == 5600


async def test_replace_payload(broker: RedisBroker, redis_store: RedisStore) -> None:
    job = a_job(**SCHEDULED)._replace(unique="mail:send:x", unique_for=60.0)
    await broker.enqueue([job])
    key = "asynq:{mail}:t:j1"
    redis_store.do("HSET", key, "msg", redis_store.do("HGET", key, "msg") + UNKNOWN)
    before = redis_store.dump()

    assert await broker.replace_payload("mail", "j1", b"new")

    message = a_message(payload=b"new", unique_key="asynq:{mail}:unique:mail:send:x")
    raw = redis_store.do("HGET", key, "msg")
    assert raw == message.SerializeToString() + UNKNOWN
    fields = redis_store.fields("mail", "j1")
    assert redis_store.dump() == before | {key: fields}
    assert {**fields, "msg": None} == {
        "msg": None,
        "state": "scheduled",
        "due": "1900000060.125",
        "unique_key": message.unique_key,
    }


async def test_an_unreadable_message_is_not_replaced(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_job(**SCHEDULED)])
    redis_store.do("HSET", "asynq:{mail}:t:j1", "msg", b"{")

    assert not await broker.replace_payload("mail", "j1", b"new")


async def test_pause_and_resume(broker: RedisBroker, redis_store: RedisStore) -> None:
    await broker.pause("mail")
    paused = redis_store.dump()
    await broker.resume("mail")

    assert paused == {"asynq:{mail}:paused": str(START)}
    assert redis_store.dump() == {}


async def full_queue(broker: RedisBroker, store: RedisStore, clock: FakeClock) -> None:
    """Something in every place that a queue has, but for the active list."""
    group_job(store)
    store.do("RENAME", "asynq:{mail}:t:j1", "asynq:{mail}:t:grouped")
    store.do("DEL", "asynq:{mail}:g:g")
    store.do("ZADD", "asynq:{mail}:g:g", START, "grouped")
    set_key = "asynq:{mail}:g:g:7c1f"
    store.do("HSET", "asynq:{mail}:t:in-set", "msg", a_message().SerializeToString())
    store.do("ZADD", set_key, START, "in-set")
    store.do("ZADD", "asynq:{mail}:aggregation_sets", START + 120, set_key)
    unique = [a_job()._replace(id=f"u{n}", unique=f"x:{n}", unique_for=9e9) for n in range(5)]
    await broker.enqueue([job._replace(retention=60.0) for job in unique[:3]])
    claims = await broker.claim(["mail"], limit=3, lease=30, worker="w")
    await end(broker, claims[0], Succeeded(b"1"), clock)
    await end(broker, claims[1], Failed("x"), clock)
    await end(broker, claims[2], Failed("x", permanent=True), clock)
    await broker.enqueue([unique[3], unique[4]._replace(**SCHEDULED)])
    await broker.pause("mail")


async def test_remove_by_force_leaves_nothing(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await full_queue(broker, redis_store, clock)

    assert not await broker.remove("mail")
    assert await broker.remove("mail", force=True)

    assert redis_store.dump() == {}


async def test_remove_takes_what_an_empty_queue_has_left(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await end(broker, await claimed(broker), Succeeded(), clock)
    await broker.pause("mail")
    other = a_job()._replace(queue="other")
    await broker.enqueue([other])
    before = redis_store.dump()

    assert await broker.remove("mail")

    left = {name: content for name, content in before.items() if "{other}" in name}
    assert redis_store.dump() == {"asynq:queues": {"other"}} | left


@pytest.mark.parametrize("force", [False, True])
async def test_a_refused_removal_changes_nothing(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock, force: bool
) -> None:
    await claimed(broker)
    before = redis_store.dump()

    assert not await broker.remove("mail", force=force)

    assert redis_store.dump() == before


async def test_completed_jobs_keep_a_queue_from_being_removed_as_empty(
    broker: RedisBroker, clock: FakeClock
) -> None:
    await end(broker, await claimed(broker, retention=60.0), Succeeded(), clock)

    assert not await broker.remove("mail")


async def test_a_removal_that_was_interrupted_is_finished_by_the_next(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await full_queue(broker, redis_store, clock)
    for name in ("pending", "archived"):
        redis_store.do("RENAME", f"asynq:{{mail}}:{name}", f"asynq:{{mail}}:removed:{name}")

    assert await broker.remove("mail", force=True)

    assert redis_store.dump() == {}


async def test_thousands_of_jobs_are_removed(broker: RedisBroker, redis_store: RedisStore) -> None:
    await broker.enqueue(jobs(2345))

    assert await broker.remove("mail", force=True)

    assert redis_store.dump() == {}
