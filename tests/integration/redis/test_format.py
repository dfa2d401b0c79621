"""After each operation, every key of the database is what the protocol says.

The private fields are `owner`, `claims`, `due` and `cancelled` (see atode.broker.redis.keys);
they are the only thing here that asynq would not write itself. A lease of ours ends on a fraction
of a second, where asynq has whole ones.
"""

import time

import pytest

from atode.broker.redis.broker import RedisBroker
from atode.broker.redis.keys import PRIVATE_FIELDS
from atode.job import State
from atode.outcome import (
    Crashed,
    Failed,
    Outcome,
    Released,
    Snoozed,
    Succeeded,
)
from atode.testing.clock import FakeClock
from tests.integration.redis.stage import (
    DAY,
    FIRST_LEASE,
    LEASE,
    NOW_NS,
    START,
    WORKER,
    a_job,
    a_message,
    claimed,
    counters,
    end,
    stored,
)
from tests.servers.redis_store import RedisStore

NINETY_DAYS = 90 * 86_400
ASYNQ_FIELDS = {"msg", "state", "pending_since", "unique_key", "group", "result"}


async def test_enqueue(broker: RedisBroker, redis_store: RedisStore) -> None:
    await broker.enqueue([a_job()])

    assert redis_store.dump() == stored(
        pending=["j1"],
        job={"msg": a_message(), "state": "pending", "pending_since": NOW_NS},
    )
    assert redis_store.expiring() == {}


async def test_a_schedule_at_a_whole_second(broker: RedisBroker, redis_store: RedisStore) -> None:
    await broker.enqueue([a_job(state=State.SCHEDULED, due=START + 60.0)])

    assert redis_store.dump() == stored(
        scheduled={"j1": START + 60.0}, job={"msg": a_message(), "state": "scheduled"}
    )


async def test_a_schedule_within_a_second(broker: RedisBroker, redis_store: RedisStore) -> None:
    await broker.enqueue([a_job(state=State.SCHEDULED, due=START + 60.125)])

    assert redis_store.dump() == stored(
        scheduled={"j1": START + 61.0},
        job={"msg": a_message(), "state": "scheduled", "due": "1900000060.125"},
    )


async def test_dequeue(broker: RedisBroker, redis_store: RedisStore) -> None:
    await claimed(broker)

    assert redis_store.dump() == stored(
        active=["j1"],
        lease={"j1": FIRST_LEASE},
        job={"msg": a_message(), "state": "active", "owner": WORKER, "claims": "1"},
    )


async def test_lease_extension(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    claim = await claimed(broker)
    before = redis_store.dump()
    clock.advance(5)

    await broker.extend([claim], lease=30)

    assert redis_store.dump() == before | {"asynq:{mail}:lease": {"j1": LEASE + 5}}


async def test_done(broker: RedisBroker, redis_store: RedisStore, clock: FakeClock) -> None:
    claim = await claimed(broker)

    await end(broker, claim, Succeeded(b"1"), clock)

    assert redis_store.dump() == stored() | counters(processed=1)


async def test_complete(broker: RedisBroker, redis_store: RedisStore, clock: FakeClock) -> None:
    claim = await claimed(broker, retention=60.0)

    await end(broker, claim, Succeeded(b'"sent"'), clock)

    assert redis_store.dump() == stored(
        completed={"j1": START + 61.0},
        job={
            "msg": a_message(retention=60, completed_at=START),
            "state": "completed",
            "result": '"sent"',
            "claims": "1",
        },
    ) | counters(processed=1)


async def test_retry(broker: RedisBroker, redis_store: RedisStore, clock: FakeClock) -> None:
    claim = await claimed(broker)

    await end(broker, claim, Failed("boom"), clock)

    assert redis_store.dump() == stored(
        retry={"j1": START + 61.0},
        job={
            "msg": a_message(retried=1, error_msg="boom", last_failed_at=START),
            "state": "retry",
            "claims": "1",
            "due": "1900000060.75",
        },
    ) | counters(processed=1, failed=1)


async def test_a_retry_that_is_no_failure_counts_nothing(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    claim = await claimed(broker)

    await end(broker, claim, Snoozed(9.75), clock)

    assert redis_store.dump() == stored(
        retry={"j1": START + 10.0},
        job={"msg": a_message(), "state": "retry", "claims": "1"},
    )


async def test_archive(broker: RedisBroker, redis_store: RedisStore, clock: FakeClock) -> None:
    claim = await claimed(broker)

    await end(broker, claim, Failed("boom", permanent=True), clock)

    assert redis_store.dump() == stored(
        archived={"j1": float(START)},
        job={
            "msg": a_message(error_msg="boom", last_failed_at=START),
            "state": "archived",
            "claims": "1",
        },
    ) | counters(processed=1, failed=1)


async def test_requeue(broker: RedisBroker, redis_store: RedisStore, clock: FakeClock) -> None:
    claim = await claimed(broker)
    await broker.enqueue([a_job()._replace(id="j2")])

    await end(broker, claim, Released(), clock)

    found = redis_store.dump()
    assert found.pop("asynq:{mail}:t:j2")
    assert found == stored(
        pending=["j2", "j1"], job={"msg": a_message(), "state": "pending", "claims": "1"}
    )


async def test_a_crash(broker: RedisBroker, redis_store: RedisStore, clock: FakeClock) -> None:
    await claimed(broker)
    clock.advance(31)
    [reaped] = await broker.reap(["mail"], limit=9, lease=30, worker="h1:1:other")

    taken_over = redis_store.dump()
    await end(broker, reaped, Crashed(), clock)

    error = "lease expired: the worker died or lost the broker while the job ran"
    assert taken_over == stored(
        active=["j1"],
        lease={"j1": LEASE + 31},
        job={"msg": a_message(), "state": "active", "owner": "h1:1:other", "claims": "2"},
    )
    assert redis_store.dump() == stored(
        pending=["j1"],
        job={
            "msg": a_message(retried=1, error_msg=error, last_failed_at=START + 31),
            "state": "pending",
            "claims": "2",
        },
    ) | counters(processed=1, failed=1)


async def test_forward(broker: RedisBroker, redis_store: RedisStore, clock: FakeClock) -> None:
    await broker.enqueue([a_job(state=State.SCHEDULED, due=START + 1.5)])
    clock.advance(1.25)

    await broker.promote(["mail"])

    assert redis_store.dump() == stored(
        pending=["j1"],
        job={
            "msg": a_message(),
            "state": "pending",
            "pending_since": "1900000001500000000",
            "was_due": "1900000001.5@1900000001500000000",
        },
    )


async def test_a_claim_leaves_no_due_instant(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await broker.enqueue([a_job(state=State.SCHEDULED, due=START + 1.5)])
    clock.advance(1.25)
    await broker.promote(["mail"])

    await broker.claim(["mail"], limit=1, lease=30, worker="h1:1:w1")

    assert redis_store.fields("mail", "j1").keys() == {"msg", "state", "owner", "claims"}


async def test_a_new_attempt_leaves_no_old_due_instant(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    claim = await claimed(broker)
    await end(broker, claim, Failed("boom"), clock)
    clock.advance(61)

    await broker.promote(["mail"])

    assert redis_store.fields("mail", "j1") == {
        "msg": a_message(retried=1, error_msg="boom", last_failed_at=START),
        "state": "pending",
        "pending_since": "1900000061250000000",
        "was_due": "1900000060.75@1900000061250000000",
        "claims": "1",
    }


async def test_the_daily_counters_go_after_ninety_days(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    claim = await claimed(broker)

    await end(broker, claim, Failed("boom"), clock)

    left = redis_store.expiring()
    assert set(left) == {
        f"asynq:{{mail}}:processed:{DAY}",
        f"asynq:{{mail}}:failed:{DAY}",
    }
    for seconds in left.values():
        assert seconds + time.time() == pytest.approx(START + NINETY_DAYS, abs=10)


async def test_the_daily_counters_are_those_of_the_day_of_the_end(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    claim = await claimed(broker)
    clock.advance(86_400)

    await end(broker, claim, Succeeded(), clock)

    assert redis_store.do("GET", "asynq:{mail}:processed:2030-03-18") == b"1"


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Succeeded(), {"processed": b"1", "failed": b"77"}),
        (Failed("boom"), {"processed": b"1", "failed": b"1"}),
    ],
)
async def test_full_counters_start_again(
    broker: RedisBroker,
    redis_store: RedisStore,
    clock: FakeClock,
    outcome: Outcome,
    expected: dict[str, bytes],
) -> None:
    claim = await claimed(broker)
    redis_store.do("SET", "asynq:{mail}:processed", 2**63 - 1)
    redis_store.do("SET", "asynq:{mail}:failed", 77)

    await end(broker, claim, outcome, clock)

    found = {name: redis_store.do("GET", f"asynq:{{mail}}:{name}") for name in expected}
    assert found == expected


async def test_a_broken_counter_keeps_no_job_from_ending(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    claim = await claimed(broker)
    redis_store.do("SET", "asynq:{mail}:processed", "many")

    await end(broker, claim, Succeeded(), clock)

    assert redis_store.fields("mail", "j1") == {}


async def test_hashes_hold_nothing_else_than_asynqs_fields_and_the_private_ones(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    seen: set[str] = set()
    claim = await claimed(broker, retention=60.0)
    seen.update(redis_store.fields("mail", "j1"))
    await end(broker, claim, Failed("boom"), clock)
    seen.update(redis_store.fields("mail", "j1"))
    clock.advance(61)
    await broker.promote(["mail"])
    seen.update(redis_store.fields("mail", "j1"))
    await broker.claim(["mail"], limit=9, lease=30, worker=WORKER)
    await broker.cancel("mail", ["j1"])
    seen.update(redis_store.fields("mail", "j1"))

    assert seen - ASYNQ_FIELDS == set(PRIVATE_FIELDS)
