"""What the Redis server says about its own work."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, cast

from redis.asyncio import Redis


class Server:
    """A connection to the server for questions."""

    def __init__(self, url: str) -> None:
        # redis-py's own annotations are partial.
        self._redis = cast("Callable[[str], Any]", cast("Any", Redis).from_url)(url)

    async def scripts_us(self) -> int:
        """Microseconds that it has spent in scripts so far."""
        known: Mapping[str, Any] = await self._redis.info("commandstats")
        entries = (known.get(f"cmdstat_{command}") for command in ("eval", "evalsha"))
        return sum(int(entry["usec"]) for entry in entries if entry)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._redis.aclose()
