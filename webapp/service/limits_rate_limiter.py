"""Requests counted by the library limits, in this process or in Redis."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisClusterStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import MovedError, RedisClusterException, RedisError

from webapp.service.rate_limiter import CountsDown, Rate

_PATIENCE = 1.0
"""Seconds for Redis to answer; a caller waits for this, so it must be short."""


class LimitsRateLimiter:
    """A window slides over the counts of the last two periods: two numbers for each caller,
    and no burst of twice the rate where one period ends."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._strategy = SlidingWindowCounterRateLimiter(storage)

    async def take(self, who: str, rate: Rate, cost: int = 1) -> float:
        item = RateLimitItemPerSecond(rate.amount, rate.seconds)
        try:
            async with asyncio.timeout(_PATIENCE):
                if await self._strategy.hit(item, who, cost=cost):
                    return 0
                stats = await self._strategy.get_window_stats(item, who)
        except TimeoutError:
            raise CountsDown(f"no answer within {_PATIENCE:g} s") from None
        except MovedError:
            raise CountsDown(
                "it is a node of a cluster; name at least two of the cluster's nodes"
            ) from None
        except (RedisError, RedisClusterException, OSError) as error:
            raise CountsDown(str(error) or type(error).__name__) from error
        # The instant may be now, but what was refused has to wait.
        return max(stats.reset_time - time.time(), 0.001)

    async def close(self) -> None:
        if isinstance(self._storage, RedisStorage):
            # The library has no way of its own.
            await cast(Any, self._storage.bridge).get_connection().aclose()


def counted_here() -> LimitsRateLimiter:
    """Counts are in this process alone."""
    return LimitsRateLimiter(MemoryStorage())


def counted_in_redis(
    addresses: Sequence[str], *, password: str = "", tls: bool = False
) -> LimitsRateLimiter:
    """Counts are in one Redis server, or in a cluster where there are several addresses."""
    options: dict[str, Any] = {
        "implementation": "redispy",
        "socket_timeout": _PATIENCE,
        "socket_connect_timeout": _PATIENCE,
        # Once more at once: a connection that was kept may have ended with its server.
        "retry": Retry(NoBackoff(), 1),
        **_login(password),
    }
    if len(addresses) == 1:
        scheme = "rediss" if tls else "redis"
        return LimitsRateLimiter(RedisStorage(f"async+{scheme}://{addresses[0]}", **options))
    options["ssl"] = tls
    uri = f"async+redis+cluster://{','.join(addresses)}"
    return LimitsRateLimiter(cast(Any, RedisClusterStorage)(uri, **options))


def _login(password: str) -> Mapping[str, str]:
    return {"password": password} if password else {}
