"""Locks of unique jobs, key by key: when they are taken, how long they last, who releases them."""

import pytest

from atode.broker.protocol import Refused
from atode.broker.redis.broker import RedisBroker
from atode.broker.redis.keys import keys_of, unique_key
from atode.errors import BrokerRefused
from atode.job import Job, State, fingerprint
from atode.outcome import Crashed, Failed, Outcome, Released, Snoozed, Succeeded
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
from tests.servers.redis_store import GoPeer, RedisStore

UNIQUE = fingerprint("mail:send", b'{"n":1}')
LOCK = unique_key("mail", "mail:send", b'{"n":1}')


def a_unique_job(id: str = "j1", *, unique_for: float = 60.0, due: float = 0.0) -> Job:
    job = a_job(unique=UNIQUE, unique_for=unique_for)
    return job._replace(id=id, due=due, state=State.SCHEDULED if due else State.PENDING)


def test_the_lock_is_asynqs() -> None:
    assert keys_of("mail").unique + UNIQUE == LOCK


async def test_enqueue_unique(broker: RedisBroker, redis_store: RedisStore) -> None:
    await broker.enqueue([a_unique_job()])

    assert redis_store.dump() == stored(
        pending=["j1"],
        job={
            "msg": a_message(unique_key=LOCK),
            "state": "pending",
            "pending_since": NOW_NS,
            "unique_key": LOCK,
        },
    ) | {LOCK: "j1"}
    assert redis_store.expiring() == {LOCK: pytest.approx(60, abs=1)}


async def test_schedule_unique(broker: RedisBroker, redis_store: RedisStore) -> None:
    await broker.enqueue([a_unique_job(due=START + 100.75)])

    assert redis_store.dump() == stored(
        scheduled={"j1": START + 101.0},
        job={
            "msg": a_message(unique_key=LOCK),
            "state": "scheduled",
            "due": "1900000100.75",
            "unique_key": LOCK,
        },
    ) | {LOCK: "j1"}
    # 100.5 seconds until it may run, and 60 from then, in whole seconds.
    assert redis_store.expiring() == {LOCK: pytest.approx(160, abs=1)}


@pytest.mark.parametrize(("seconds", "milliseconds"), [(0.2, 1000), (1.9, 1000), (2.0, 2000)])
async def test_a_lock_lasts_whole_seconds_and_at_least_one(
    broker: RedisBroker, redis_store: RedisStore, seconds: float, milliseconds: int
) -> None:
    await broker.enqueue([a_unique_job(unique_for=seconds)])

    assert milliseconds - 500 < redis_store.do("PTTL", LOCK) <= milliseconds


async def test_a_lock_for_ever_is_one_for_a_century(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_unique_job(unique_for=float("inf"))])

    assert redis_store.do("TTL", LOCK) > 99 * 365 * 86_400


async def test_a_refused_job_changes_nothing(broker: RedisBroker, redis_store: RedisStore) -> None:
    await broker.enqueue([a_unique_job()])
    before = redis_store.dump()

    second = a_unique_job("j2")
    same_id = a_unique_job()._replace(unique="mail:send:other")

    assert await broker.enqueue([second, same_id]) == [
        Refused(second, "j1"),
        Refused(same_id, "j1"),
    ]
    assert redis_store.dump() == before


async def test_one_refusal_takes_nothing_from_the_rest_of_a_call(broker: RedisBroker) -> None:
    await broker.enqueue([a_unique_job()])
    blocked, plain = a_unique_job("j2"), a_job()._replace(id="j2")

    # The first one was kept out by its lock, so the id was free.
    assert await broker.enqueue([blocked, plain]) == [Refused(blocked, "j1")]
    assert await broker.get("mail", "j2") == plain


async def test_a_lock_that_its_own_job_left_behind_is_its_own(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    # As asynq leaves one when the id is taken.
    redis_store.do("SET", LOCK, "j1", "EX", 5)

    assert await broker.enqueue([a_unique_job()]) == []
    assert redis_store.expiring() == {LOCK: pytest.approx(60, abs=1)}


async def test_a_broken_lock_refuses_a_call_before_anything_is_written(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    redis_store.do("LPUSH", LOCK, "x")

    with pytest.raises(BrokerRefused, match="WRONGTYPE"):
        await broker.enqueue([a_job()._replace(id="j0"), a_unique_job()])

    assert redis_store.dump() == {"asynq:queues": {"mail"}, LOCK: ["x"]}


async def test_a_call_that_is_sent_twice_knows_its_jobs_and_locks(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    jobs = [a_unique_job(), a_unique_job("j2")]
    await broker.enqueue(jobs[:1])  # what the first sending did
    before = redis_store.dump()

    await broker.counts("mail")  # The connection is kept from here on …
    redis_store.do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")  # … and dies.

    assert await broker.enqueue(jobs) == [Refused(jobs[1], "j1")]
    assert redis_store.dump() == before


@pytest.mark.parametrize("retention", [0.0, 60.0])
async def test_success_releases_the_lock(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock, retention: float
) -> None:
    claim = await claimed(broker, unique=UNIQUE, unique_for=60.0, retention=retention)

    await end(broker, claim, Succeeded(), clock)

    completed = stored(
        completed={"j1": START + 61.0},
        job={
            "msg": a_message(unique_key=LOCK, retention=60, completed_at=START),
            "state": "completed",
            "claims": "1",
            "unique_key": LOCK,
        },
    )
    assert redis_store.dump() == (completed if retention else stored()) | counters(processed=1)


@pytest.mark.parametrize(
    "outcome", [Failed("x"), Failed("x", permanent=True), Snoozed(5.0), Released(), Crashed()]
)
async def test_no_other_ending_releases_it(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock, outcome: Outcome
) -> None:
    claim = await claimed(broker, unique=UNIQUE, unique_for=60.0)

    await end(broker, claim, outcome, clock)

    job = await broker.get("mail", "j1")
    assert redis_store.do("GET", LOCK) == b"j1"
    assert job is not None
    assert job.unique == UNIQUE


async def test_a_lock_that_has_gone_over_to_another_job_stays(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    claim = await claimed(broker, unique=UNIQUE, unique_for=60.0)
    redis_store.do("SET", LOCK, "j2")

    await end(broker, claim, Succeeded(), clock)

    assert redis_store.do("GET", LOCK) == b"j2"


async def test_a_refused_settlement_releases_nothing(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    claim = await claimed(broker, unique=UNIQUE, unique_for=600.0)
    clock.advance(31)
    await broker.reap(["mail"], limit=1, lease=30, worker="other")

    with pytest.raises(AssertionError):
        await end(broker, claim, Succeeded(), clock)

    assert redis_store.do("GET", LOCK) == b"j1"


async def test_a_lock_among_many_endings_is_the_right_ones(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    plain = [a_job()._replace(id=f"p{n}") for n in range(3)]
    others = [a_unique_job(f"u{n}")._replace(unique=f"mail:send:{n}") for n in range(3)]
    await broker.enqueue([plain[0], others[0], plain[1], others[1], others[2], plain[2]])
    claims = await broker.claim(["mail"], limit=9, lease=30, worker="w")

    for claim in claims:
        failed = claim.job.id == "u1"
        await end(broker, claim, Failed("x") if failed else Succeeded(), clock)

    locks = [name for name in redis_store.dump() if ":unique:" in name]
    assert locks == ["asynq:{mail}:unique:mail:send:1"]


@pytest.mark.parametrize(
    ("key", "unique"),
    [
        ("asynq:{default}:unique:demo:", "demo:"),
        ("asynq:{other}:unique:demo:0", "asynq:{other}:unique:demo:0"),
    ],
)
async def test_the_lock_of_a_go_client_is_read_and_kept(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock, key: str, unique: str
) -> None:
    go = GoPeer(redis_store)
    go.enqueue("g1", clock.now(), unique_key=key)

    [claim] = await broker.claim(["default"], limit=1, lease=30, worker="w")
    await end(broker, claim, Failed("x"), clock)

    assert claim.job.unique == unique
    kept = redis_store.fields("default", "g1")["msg"]
    expected = {"unique_key": key, "retried": 1, "error_msg": "x", "last_failed_at": START}
    assert kept == go.message("g1", **expected)
