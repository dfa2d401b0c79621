"""Places in Redis are those of asynq's x/rate (the protocol's section 11)."""

import pytest

from atode.broker.redis.broker import RedisBroker
from atode.errors import BrokerRefused
from atode.testing.clock import FakeClock
from tests.integration.redis.stage import START
from tests.servers.redis_store import RedisStore

KEY = "asynq:sema:payments"


async def test_a_place_is_the_jobs_id_with_the_whole_second_of_its_deadline(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.take_place("payments", "j1", limit=2, until=START + 9.75)
    await broker.take_place("payments", "j2", limit=2, until=START + 5.0)

    assert redis_store.dump() == {KEY: {"j1": START + 9, "j2": START + 5}}


async def test_a_place_that_is_given_back_leaves_nothing(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.take_place("payments", "j1", limit=1, until=START + 9.75)

    assert await broker.free_place("payments", "j1", until=START + 9.75)

    assert redis_store.dump() == {}


async def test_gos_places_count_until_their_second_is_over(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    redis_store.do("ZADD", KEY, START + 2, "go")
    answers: list[bool] = []
    for _ in range(3):
        answers.append(await broker.take_place("payments", "j1", limit=1, until=START + 60))
        clock.advance(1.5)

    # At .25, 1.75 and 3.25 seconds after the start.
    assert answers == [False, False, True]
    assert redis_store.dump() == {KEY: {"j1": START + 60}}


async def test_a_key_of_a_wrong_type_is_refused(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    redis_store.do("SET", KEY, "x")

    with pytest.raises(BrokerRefused, match="WRONGTYPE"):
        await broker.take_place("payments", "j1", limit=1, until=START + 60)
