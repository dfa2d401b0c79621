"""The list of active jobs, when many of them end at once."""

import random
from collections.abc import Callable, Sequence

import pytest

from atode.broker.redis.broker import RedisBroker
from atode.clock import SystemClock
from atode.job import Claim, Job
from atode.outcome import Settlement, Succeeded, decide
from atode.retry import Retry
from tests.servers.redis_store import RedisStore

# More than a look at the list takes in at once.
ACTIVE = 4_500
ENDING = 700
KEY = "asynq:{mail}:active"

Order = Callable[[Sequence[Claim]], list[Claim]]


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


@pytest.fixture
async def claims(broker: RedisBroker) -> Sequence[Claim]:
    """All of the active jobs, the oldest first."""
    await broker.enqueue([Job(f"j{n}", "mail:send", "mail", b"{}") for n in range(ACTIVE)])
    return await broker.claim(["mail"], limit=ACTIVE, lease=30, worker="h1:1:s-1")


def shuffled(claims: Sequence[Claim]) -> list[Claim]:
    return random.Random(1).sample(claims, len(claims))


def newest_first(claims: Sequence[Claim]) -> list[Claim]:
    return list(reversed(claims))


def succeeded(claims: Sequence[Claim]) -> Sequence[Settlement]:
    return [decide(claim, Succeeded(b""), Retry(), 0.0) for claim in claims]


def active(store: RedisStore) -> list[str]:
    # Oldest first; claims are pushed to the left.
    return [job_id.decode() for job_id in reversed(store.do("LRANGE", KEY, 0, -1))]


@pytest.mark.parametrize("order", [list, shuffled, newest_first])
async def test_those_that_ended_leave_and_the_others_keep_their_places(
    order: Order, broker: RedisBroker, claims: Sequence[Claim], redis_store: RedisStore
) -> None:
    ended = order(claims)[:ENDING]

    refused = await broker.settle(succeeded(ended))

    gone = {claim.job.id for claim in ended}
    assert not refused
    assert active(redis_store) == [c.job.id for c in claims if c.job.id not in gone]


async def test_an_id_that_somebody_has_removed_already_does_no_harm(
    broker: RedisBroker, claims: Sequence[Claim], redis_store: RedisStore
) -> None:
    ended = shuffled(claims)[:ENDING]
    for claim in ended[::2]:
        redis_store.do("LREM", KEY, 0, claim.job.id)

    refused = await broker.settle(succeeded(ended))

    gone = {claim.job.id for claim in ended}
    assert not refused
    assert active(redis_store) == [c.job.id for c in claims if c.job.id not in gone]


async def test_jobs_that_are_all_gone_from_the_list_leave_it_empty(
    broker: RedisBroker, claims: Sequence[Claim], redis_store: RedisStore
) -> None:
    redis_store.do("DEL", KEY)

    refused = await broker.settle(succeeded(shuffled(claims)[:ENDING]))

    assert not refused
    assert active(redis_store) == []
