"""Claims that stand in Redis until a job comes, on real connections."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from atode.broker.redis.broker import RedisBroker
from atode.broker.redis.messages import encoded
from atode.job import Claim, Job
from atode.outcome import Settlement, Tally
from atode.testing.clock import FakeClock
from tests.servers.certificates import Certificates
from tests.servers.redis import RedisServer, needs_tls
from tests.servers.redis_store import RedisStore

QUEUE = "mail"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def stand(
    broker: RedisBroker, *, limit: int = 9, lease: float = 15, at_most: float = 60
) -> Sequence[Claim]:
    return await broker.claim_next([QUEUE], limit=limit, lease=lease, worker="w1", at_most=at_most)


def store_job(store: RedisStore, *ids: str) -> None:
    """As a Go client does it, without giving the event loop a turn."""
    for job_id in ids:
        message = encoded(Job(job_id, "demo", QUEUE, b"{}"))
        store.do("HSET", f"asynq:{{{QUEUE}}}:t:{job_id}", "msg", message, "state", "pending")
    store.do("LPUSH", f"asynq:{{{QUEUE}}}:pending", *ids)


def pending(store: RedisStore) -> list[str]:
    found = store.do("LRANGE", f"asynq:{{{QUEUE}}}:pending", 0, -1)
    return [job_id.decode() for job_id in reversed(found)]


def blocked(store: RedisStore) -> int:
    return int(store.do("INFO", "clients")["blocked_clients"])


async def until_blocked(store: RedisStore, number: int = 1) -> None:
    while blocked(store) != number:
        await asyncio.sleep(0.005)


async def test_a_job_comes_with_the_news_of_it(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    standing = asyncio.ensure_future(stand(broker))
    await until_blocked(redis_store)

    store_job(redis_store, "j1")
    [claim] = await asyncio.wait_for(standing, 10)

    assert (claim.job.id, claim.worker, claim.number) == ("j1", "w1", 1)
    assert claim.lease_until == clock.now() + 15
    assert pending(redis_store) == []
    assert await broker.settle([Settlement(claim, None, Tally.SUCCESS)]) == []


async def test_it_takes_no_more_than_its_limit(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    standing = asyncio.ensure_future(stand(broker, limit=2))
    await until_blocked(redis_store)

    store_job(redis_store, "j1", "j2", "j3")
    claims = await asyncio.wait_for(standing, 10)

    assert [claim.job.id for claim in claims] == ["j1", "j2"]
    assert pending(redis_store) == ["j3"]


async def test_a_claim_that_is_sent_anew_has_a_new_lease(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    standing = asyncio.ensure_future(stand(broker, lease=1.5))
    await until_blocked(redis_store)
    clock.advance(100)
    before = int(redis_store.do("INFO", "commandstats")["cmdstat_blmove"]["calls"])
    while int(redis_store.do("INFO", "commandstats")["cmdstat_blmove"]["calls"]) < before + 2:
        await asyncio.sleep(0.01)

    store_job(redis_store, "j1")
    [claim] = await asyncio.wait_for(standing, 10)

    assert claim.lease_until == clock.now() + 1.5


async def test_what_comes_for_a_cancelled_claim_goes_back_in_order(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    standing = asyncio.ensure_future(stand(broker))
    await until_blocked(redis_store)

    # Redis has claimed and answered, and nobody has read the answer yet.
    store_job(redis_store, "j1", "j2")
    store_job(redis_store, "j3")
    assert pending(redis_store) == ["j3"]
    standing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await standing
    await broker.close()

    assert pending(redis_store) == ["j1", "j2", "j3"]


async def test_a_cancelled_claim_does_not_stand_any_longer(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    standing = asyncio.ensure_future(stand(broker, lease=900))
    await until_blocked(redis_store)

    standing.cancel()
    await until_blocked(redis_store, 0)
    store_job(redis_store, "j1")
    await broker.close()

    assert pending(redis_store) == ["j1"]


async def test_claims_of_two_callers_stand_side_by_side(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    standing = [asyncio.ensure_future(stand(broker, limit=1)) for _ in range(2)]
    await until_blocked(redis_store, 2)

    store_job(redis_store, "j1", "j2")
    claims = await asyncio.wait_for(asyncio.gather(*standing), 10)

    assert sorted(claim.job.id for [claim] in claims) == ["j1", "j2"]


async def test_nothing_is_claimed_from_a_paused_queue(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    standing = asyncio.ensure_future(stand(broker, at_most=0.5))
    await until_blocked(redis_store)

    redis_store.do("SET", f"asynq:{{{QUEUE}}}:paused", 1)
    store_job(redis_store, "j1")

    assert await standing == []
    assert pending(redis_store) == ["j1"]


async def test_a_standing_claim_does_not_poll(broker: RedisBroker, redis_store: RedisStore) -> None:
    await stand(broker, at_most=0.05)
    before = int(redis_store.do("INFO", "stats")["total_commands_processed"])

    await stand(broker, lease=900, at_most=0.3)

    # What blocks, the claim behind it with its look at the flag and the list, and this INFO.
    after = int(redis_store.do("INFO", "stats")["total_commands_processed"])
    assert after - before <= 6


async def test_a_script_that_the_server_forgot_is_sent_again(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await stand(broker, at_most=0.05)
    standing = asyncio.ensure_future(stand(broker))
    await until_blocked(redis_store)
    redis_store.do("SCRIPT", "FLUSH")

    store_job(redis_store, "j1")

    [claim] = await asyncio.wait_for(standing, 10)
    assert claim.job.id == "j1"


async def test_closing_ends_a_claim_that_stands(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    standing = asyncio.ensure_future(stand(broker, lease=900))
    await until_blocked(redis_store)

    await broker.close()

    assert await asyncio.wait_for(standing, 10) == []
    while int(redis_store.do("INFO", "clients")["connected_clients"]) > 1:
        await asyncio.sleep(0.01)


async def test_a_restart_between_two_claims_is_not_noticed() -> None:
    with RedisServer("--appendonly", "yes", "--appendfsync", "always") as server:
        broker = RedisBroker(server.url)
        await stand(broker, at_most=0.05)
        server.stop()
        server.restart()
        with RedisStore(server.url) as store:
            store_job(store, "j1")

        [claim] = await asyncio.wait_for(stand(broker), 10)

        assert claim.job.id == "j1"
        await broker.close()


async def test_a_user_who_may_not_block_loses_nothing(
    redis_url: str, redis_store: RedisStore
) -> None:
    rights = ("~asynq:*", "allchannels", "+@all", "-blmove")
    redis_store.do("ACL", "SETUSER", "app", "on", ">pw", *rights)
    broker = RedisBroker(redis_url.replace("redis://", "redis://app:pw@"))
    store_job(redis_store, "j1")

    [claim] = await stand(broker)

    assert claim.job.id == "j1"
    await broker.close()
    redis_store.do("ACL", "DELUSER", "app")


async def test_a_cancelled_claim_on_an_encrypted_connection_gives_back_what_it_brings(
    tmp_path: Path,
) -> None:
    needs_tls()
    certificates = Certificates(tmp_path)
    with RedisServer(*certificates.server_options, tls=True) as server:
        broker = RedisBroker(
            f"rediss://127.0.0.1:{server.tls_port}?ssl_ca_certs={certificates.authority}"
        )
        with RedisStore(server.url) as store:
            await stand(broker, at_most=0.05)
            standing = asyncio.ensure_future(stand(broker))
            await until_blocked(store)
            standing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await standing

            # Nothing can be taken back here; Redis claims it still.
            store_job(store, "j1")
            assert pending(store) == []
            await broker.close()

            assert pending(store) == ["j1"]
