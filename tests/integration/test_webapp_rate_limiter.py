"""Requests counted in real Redis servers, killed and started again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.certificates import Certificates
from tests.servers.redis import RedisServer, needs_tls
from tests.servers.redis_cluster import RedisCluster
from webapp.service.limits_rate_limiter import LimitsRateLimiter, counted_in_redis
from webapp.service.rate_limiter import CountsDown, Rate

TWO_A_DAY = Rate(2, 86_400)


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    with RedisCluster() as nodes:
        yield nodes


def addresses(*servers: RedisServer) -> list[str]:
    return [f"127.0.0.1:{server.port}" for server in servers]


Counted = Callable[..., LimitsRateLimiter]


@pytest.fixture
async def counted() -> AsyncIterator[Counted]:
    """Limiters whose connections are closed in the end."""
    made: list[LimitsRateLimiter] = []

    def make(*servers: str, password: str = "", tls: bool = False) -> LimitsRateLimiter:
        made.append(counted_in_redis(servers, password=password, tls=tls))
        return made[-1]

    yield make
    for limiter in made:
        await limiter.close()


async def passes(limiter: LimitsRateLimiter, who: str, times: int) -> list[bool]:
    return [not await limiter.take(who, TWO_A_DAY) for _ in range(times)]


async def is_counted(limiter: LimitsRateLimiter, who: str) -> bool:
    try:
        await limiter.take(who, TWO_A_DAY, 0)
    except CountsDown:
        return False
    return True


async def returns(limiter: LimitsRateLimiter) -> None:
    """Wait until counts are there again; a cluster needs a moment to agree."""
    async with asyncio.timeout(30):
        while not await is_counted(limiter, "anybody"):
            await asyncio.sleep(0.05)


async def test_processes_count_together_in_one_server(redis_url: str, counted: Counted) -> None:
    address = redis_url.split("/")[2]
    here, there = counted(address), counted(address)

    assert await passes(here, "one", 1) == [True]
    assert await passes(there, "one", 2) == [True, False]
    assert await passes(here, "one", 1) == [False]


async def test_a_server_that_dies_is_told_and_used_again(counted: Counted) -> None:
    with RedisServer() as redis:
        limiter = counted(*addresses(redis))
        assert await passes(limiter, "one", 3) == [True, True, False]

        redis.kill()
        with pytest.raises(CountsDown):
            await limiter.take("one", TWO_A_DAY)

        redis.restart()
        # The connection that was kept is dead, which nobody has to know.
        assert await passes(limiter, "one", 3) == [True, True, False]


async def test_a_server_that_is_silent_is_not_waited_for(counted: Counted) -> None:
    with RedisServer() as redis:
        limiter = counted(*addresses(redis))
        await limiter.take("one", TWO_A_DAY)

        redis.freeze()
        with pytest.raises(CountsDown, match="no answer within 1 s"):
            await limiter.take("one", TWO_A_DAY)
        redis.thaw()

        assert await passes(limiter, "two", 3) == [True, True, False]


async def test_a_wrong_password_is_told_without_being_shown(counted: Counted) -> None:
    with RedisServer("--requirepass", "right") as redis:
        good = counted(*addresses(redis), password="right")
        assert await good.take("one", TWO_A_DAY) == 0

        for password in ("", "hunter2"):
            with pytest.raises(CountsDown) as caught:
                await counted(*addresses(redis), password=password).take("one", TWO_A_DAY)
            assert "hunter2" not in str(caught.value)


async def test_a_server_may_be_encrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: Counted
) -> None:
    needs_tls()
    certificates = Certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    with RedisServer(*certificates.server_options, tls=True) as redis:
        limiter = counted(f"127.0.0.1:{redis.tls_port}", tls=True)

        assert await passes(limiter, "one", 3) == [True, True, False]


async def test_a_cluster_counts_each_caller_on_one_of_its_nodes(
    cluster: RedisCluster, counted: Counted
) -> None:
    limiter = counted(*addresses(*cluster.nodes))

    for who in map(str, range(10)):
        assert await passes(limiter, who, 3) == [True, True, False]

    assert all(cluster.do(node, "DBSIZE") for node in cluster.nodes)


async def test_one_node_of_a_cluster_is_not_taken_for_a_server(
    cluster: RedisCluster, counted: Counted
) -> None:
    address, elsewhere = addresses(*cluster.nodes[:2])
    limiter = counted(address)
    strangers = [who for who in map(str, range(20)) if not await is_counted(limiter, who)]

    assert strangers
    with pytest.raises(CountsDown, match="name at least two of the cluster's nodes"):
        await limiter.take(strangers[0], TWO_A_DAY)
    assert await is_counted(counted(address, elsewhere), strangers[0])


async def test_a_cluster_that_dies_is_told_and_used_again(
    cluster: RedisCluster, counted: Counted
) -> None:
    limiter = counted(*addresses(*cluster.nodes))
    await limiter.take("one", TWO_A_DAY)
    for node in cluster.nodes:
        node.kill()

    with pytest.raises(CountsDown):
        await limiter.take("one", TWO_A_DAY)

    for node in cluster.nodes:
        node.restart()
    await returns(limiter)
    assert await passes(limiter, "another", 3) == [True, True, False]
