"""What cancelling writes into Redis, key by key, and what it says to whom."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import pytest
from redis import Redis

from atode.broker.protocol import Cancellation
from atode.broker.redis import _subscription
from atode.broker.redis.broker import RedisBroker
from atode.errors import BrokerRefused, BrokerUnavailable
from atode.job import State
from atode.outcome import Cancelled, Failed, Outcome, Released, Snoozed, Succeeded
from atode.testing.clock import FakeClock
from tests.integration.redis.stage import (
    FIRST_LEASE,
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
from tests.servers.redis_store import GoPeer, RedisStore

CANCELLED = {"error_msg": "cancelled", "last_failed_at": START}
MARK = repr(START + 0.25)


@contextmanager
def said(redis_url: str) -> Generator[list[tuple[str, str]]]:
    """Channels and messages of everything that is published meanwhile."""
    heard: list[tuple[str, str]] = []
    client = cast("Any", Redis).from_url(redis_url, decode_responses=True)
    listener = client.pubsub()
    listener.psubscribe("*")
    assert listener.get_message(timeout=10)["type"] == "psubscribe"
    yield heard
    client.publish("end", "end")
    while (message := listener.get_message(timeout=10))["channel"] != "end":
        heard.append((message["channel"], message["data"]))
    listener.close()
    client.close()


WAITING: list[dict[str, Any]] = [
    {},
    {"state": State.SCHEDULED, "due": START + 60.125},
]


@pytest.mark.parametrize("fields", WAITING, ids=["pending", "scheduled"])
@pytest.mark.parametrize("by", ["id", "state"])
async def test_a_job_that_waits(
    broker: RedisBroker, redis_store: RedisStore, redis_url: str, fields: dict[str, Any], by: str
) -> None:
    job = a_job(**fields)
    await broker.enqueue([job])
    with said(redis_url) as heard:
        assert await broker.cancel("mail", ["j1"] if by == "id" else job.state) == 1

    assert heard == []
    assert redis_store.dump() == stored(
        archived={"j1": float(START)}, job={"msg": a_message(**CANCELLED), "state": "archived"}
    )


async def test_a_job_that_waits_for_its_retry(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await end(broker, await claimed(broker), Failed("boom"), clock)
    clock.advance(10)

    assert await broker.cancel("mail", ["j1"]) == 1

    message = a_message(retried=1, error_msg="cancelled", last_failed_at=START + 10)
    assert redis_store.dump() == stored(
        archived={"j1": START + 10.0}, job={"msg": message, "state": "archived", "claims": "1"}
    ) | counters(processed=1, failed=1)


@pytest.mark.parametrize("which", [["j1"], State.AGGREGATING])
async def test_a_job_that_waits_in_a_group(
    broker: RedisBroker, redis_store: RedisStore, which: Sequence[str] | State
) -> None:
    message = a_message(group_key="g").SerializeToString()
    redis_store.do("SADD", "asynq:queues", "mail")
    fields = ("msg", message, "state", "aggregating", "group", "g")
    redis_store.do("HSET", "asynq:{mail}:t:j1", *fields)
    redis_store.do("ZADD", "asynq:{mail}:g:g", START, "j1")
    redis_store.do("SADD", "asynq:{mail}:groups", "g")

    assert await broker.cancel("mail", which) == 1

    assert redis_store.dump() == stored(
        archived={"j1": float(START)},
        job={"msg": a_message(group_key="g", **CANCELLED), "state": "archived"},
    )


@pytest.mark.parametrize("which", [["j1"], State.ACTIVE])
async def test_a_job_that_runs(
    broker: RedisBroker, redis_store: RedisStore, redis_url: str, which: Sequence[str] | State
) -> None:
    await claimed(broker)
    with said(redis_url) as heard:
        assert await broker.cancel("mail", which) == 1

    assert heard == [("asynq:{mail}:cancel", "j1")]
    assert redis_store.dump() == stored(
        active=["j1"],
        lease={"j1": FIRST_LEASE},
        job={
            "msg": a_message(),
            "state": "active",
            "owner": WORKER,
            "claims": "1",
            "cancelled": MARK,
        },
    )


@pytest.mark.parametrize(
    ("outcome", "message", "counted"),
    [
        (Cancelled(), {}, {}),
        (Released(), {}, {}),
        (Snoozed(9.5), {}, {}),
        (Failed("boom"), {"retried": 1}, counters(processed=1, failed=1)),
        (Cancelled(retry=True), {"retried": 1}, counters(processed=1, failed=1)),
    ],
    ids=str,
)
async def test_the_end_of_a_marked_job(
    broker: RedisBroker,
    redis_store: RedisStore,
    clock: FakeClock,
    outcome: Outcome,
    message: dict[str, Any],
    counted: dict[str, object],
) -> None:
    claim = await claimed(broker)
    await broker.cancel("mail", ["j1"])

    await end(broker, claim, outcome, clock)

    assert (
        redis_store.dump()
        == stored(
            archived={"j1": float(START)},
            job={"msg": a_message(**CANCELLED, **message), "state": "archived", "claims": "1"},
        )
        | counted
    )


async def test_a_completed_job_has_no_mark_any_more(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    claim = await claimed(broker, retention=60.0)
    await broker.cancel("mail", ["j1"])

    await end(broker, claim, Succeeded(), clock)

    assert redis_store.fields("mail", "j1").keys() == {"msg", "state", "claims"}


async def test_a_job_in_a_go_workers_hands(
    broker: RedisBroker, redis_store: RedisStore, redis_url: str, clock: FakeClock
) -> None:
    go = GoPeer(redis_store, "mail")
    await broker.enqueue([a_job()])
    go.dequeue(clock.now())
    with said(redis_url) as heard:
        assert await broker.cancel("mail", ["j1"]) == 1

    assert heard == [("asynq:cancel", "j1")]
    go.retry("j1", START + 60)
    assert redis_store.fields("mail", "j1")["cancelled"] == MARK
    go.forward("j1", clock.now())
    [claim] = await broker.claim(["mail"], limit=9, lease=30, worker=WORKER)
    assert (claim.cancelled, claim.number) == (True, 1)
    await end(broker, claim, Cancelled(), clock)
    assert redis_store.fields("mail", "j1") == {
        "msg": a_message(**CANCELLED),
        "state": "archived",
        "claims": "1",
    }


async def test_a_go_workers_job_that_is_taken_over_is_cancelled(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await broker.enqueue([a_job()])
    GoPeer(redis_store, "mail").dequeue(clock.now())
    await broker.cancel("mail", ["j1"])
    clock.advance(61)

    [claim] = await broker.reap(["mail"], limit=9, lease=30, worker=WORKER)

    assert (claim.cancelled, claim.number) == (True, 1)


@pytest.mark.parametrize("state", ["retry", "archived"])
async def test_running_by_hand_takes_the_mark_away_that_go_left(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock, state: str
) -> None:
    await broker.enqueue([a_job(state=State.SCHEDULED, due=START + 60.0)])
    redis_store.do("ZREM", "asynq:{mail}:scheduled", "j1")
    redis_store.do("ZADD", f"asynq:{{mail}}:{state}", START + 60, "j1")
    redis_store.do("HSET", "asynq:{mail}:t:j1", "state", state, "cancelled", MARK)

    assert await broker.run("mail", ["j1"]) == 1

    assert redis_store.fields("mail", "j1") == {
        "msg": a_message(),
        "state": "pending",
        "pending_since": NOW_NS,
    }


async def test_a_message_that_nobody_can_read_is_cancelled_too(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_job()])
    redis_store.do("HSET", "asynq:{mail}:t:j1", "msg", b"\xff\xff")

    assert await broker.cancel("mail", State.PENDING) == 1

    [job] = await broker.find("mail", State.ARCHIVED)
    assert (job.id, job.task) == ("j1", "")


async def test_a_container_of_a_wrong_type_stops_everything(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    for name in ("archived", "lease", "groups"):
        redis_store.do("FLUSHALL")
        await broker.enqueue([a_job()])
        redis_store.do("SET", f"asynq:{{mail}}:{name}", "broken")
        before = redis_store.dump()

        with pytest.raises(BrokerRefused, match="WRONGTYPE"):
            await broker.cancel("mail", ["j1"])

        assert redis_store.dump() == before


async def test_asynqs_cancellations_are_heard_without_a_queue(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    assert await broker.cancellations(["mail"], worker="w1", at_most=60) == []

    redis_store.do("PUBLISH", "asynq:cancel", "j1")
    redis_store.do("PUBLISH", "asynq:{other}:cancel", "j2")
    redis_store.do("PUBLISH", "asynq:{mail}:cancel", "j3")

    told: list[Cancellation] = []
    while len(told) < 2:
        told += await broker.cancellations(["mail"], worker="w1", at_most=60)
    assert told == [Cancellation("j1", ""), Cancellation("j3", "mail")]


async def test_news_that_nobody_asks_for_does_not_pile_up(
    broker: RedisBroker, redis_store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_subscription, "_MOST_TOLD", 3)
    await broker.cancellations(["mail"], worker="w1", at_most=60)
    for n in range(10):
        redis_store.do("PUBLISH", "asynq:cancel", f"j{n}")
    # What is published later on the same connection is heard later.
    await broker.promote(["mail"])
    redis_store.do("PUBLISH", "asynq:{mail}:due", repr(START + 0.5))
    await broker.wait_due(["mail"], until=None)

    # That much may have been missed as well.
    assert await broker.cancellations(["mail"], worker="w1", at_most=60) == []
    redis_store.do("PUBLISH", "asynq:cancel", "next")
    told = await broker.cancellations(["mail"], worker="w1", at_most=60)
    assert [each.job_id for each in told] == ["next"]


async def test_after_a_cut_connection_nothing_is_told_once(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.cancellations(["mail"], worker="w1", at_most=60)
    await broker.promote(["mail"])
    redis_store.do("CLIENT", "KILL", "TYPE", "pubsub")

    # Either of the two who listen may be the one that connects again.
    for asked in (
        lambda: broker.wait_due(["mail"], until=None),
        lambda: broker.cancellations(["mail"], worker="w1", at_most=60),
    ):
        with pytest.raises(BrokerUnavailable):
            await asked()
    assert await broker.cancellations(["mail"], worker="w1", at_most=60) == []
    redis_store.do("PUBLISH", "asynq:cancel", "j1")
    assert await broker.cancellations(["mail"], worker="w1", at_most=60) == [Cancellation("j1", "")]
