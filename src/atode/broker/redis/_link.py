"""Connections to Redis: pooled ones for calls, and lines of their own for what blocks."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol, cast
from urllib.parse import urlsplit

import hiredis
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError, ResponseError

from atode.broker.redis._failures import Dropped, is_broken, translated
from atode.broker.redis._scripts import Argument, Command, with_text
from atode.errors import BadOption

TIMEOUT = 5.0
"""Seconds for connecting, and again for the answer to a call."""

_MOST_CALLS = 16
"""Calls in flight at once; more wait for a connection."""

Reply = Any
"""Whatever Redis answers: bytes, int, None or a list of replies."""


class Answer(NamedTuple):
    """The replies to the commands of a call."""

    replies: list[Reply]
    resent: bool
    """Whether the commands were sent twice, so that the first sending may have done them."""


# hiredis's and redis-py's own annotations are partial or wrong for what is used of them here.
_packed = cast("Callable[[Sequence[Argument | float]], bytes]", cast("Any", hiredis).pack_command)
_pool_of = cast("Callable[..., ConnectionPool]", cast("Any", ConnectionPool).from_url)


class _Connection(Protocol):
    async def connect(self) -> None: ...
    async def disconnect(self, nowait: bool = ...) -> None: ...
    async def send_packed_command(
        self, command: Sequence[bytes], check_health: bool = ...
    ) -> None: ...
    async def read_response(self, *, disconnect_on_error: bool = ...) -> Reply: ...


class Link:
    """All connections of one broker; they are made when they are needed."""

    def __init__(self, url: str) -> None:
        self.address = _address(url)
        self._make = _maker(url)
        self._idle: list[_Connection] = []
        self._generation = 0
        self._places = asyncio.Semaphore(_MOST_CALLS)

    async def call(
        self, commands: Sequence[Command], again: Sequence[Command] | None = None
    ) -> Answer:
        """Send commands in one round trip, and their replies in the same order.

        When a kept connection turns out dead (the server was restarted), they are sent
        once more on a new one: what `again` gives, if that makes a difference to them.

        Raises:
            BrokerUnavailable: Redis cannot be reached or cannot serve now.
            BrokerRefused: Redis answered one of the commands with an error.
        """
        if not commands:
            return Answer([], False)
        try:
            async with self._places:
                if self._idle:
                    try:
                        return Answer(await self._exchange(self._idle.pop(), commands), False)
                    except Dropped:
                        await self._close_idle()
                    commands = again or commands
                    return Answer(await self._exchange(self._make(), commands), True)
                return Answer(await self._exchange(self._make(), commands), False)
        except Dropped as dropped:
            raise translated(dropped.cause, self.address, TIMEOUT) from dropped.cause
        except (RedisError, OSError) as error:
            raise translated(error, self.address, TIMEOUT) from error

    def line(self) -> "Line":
        """A connection of its own, not yet open."""
        return Line(self._make(), self.address)

    async def close(self) -> None:
        """Close what is open; the next call opens anew."""
        await self._close_idle()

    async def _close_idle(self) -> None:
        # Connections that are in use now are not kept when they come back.
        self._generation += 1
        idle, self._idle = self._idle, []
        for connection in idle:
            await _closed(connection, nowait=False)

    async def _exchange(self, connection: _Connection, commands: Sequence[Command]) -> list[Reply]:
        generation = self._generation
        try:
            replies = await _ask(connection, commands)
            missing = [n for n, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            if missing:
                # The server was restarted since it learnt the scripts, or is a new one.
                repeated = await _ask(connection, [with_text(commands[n]) for n in missing])
                for n, reply in zip(missing, repeated, strict=True):
                    replies[n] = reply
        except BaseException as error:
            # Whatever is still to come on this connection would answer the wrong call.
            await _closed(connection)
            if isinstance(error, Exception) and is_broken(error):
                raise Dropped(error) from error
            raise
        if any(isinstance(reply, ReadOnlyError) for reply in replies):
            # After a failover the address may lead to the new master, but only a new
            # connection goes there.
            await self._close_idle()
        if generation == self._generation:
            self._idle.append(connection)
        else:
            await _closed(connection)
        for reply in replies:
            if isinstance(reply, ResponseError):
                raise reply
        return replies


class Line:
    """A connection for commands that block, or for messages that come by themselves.

    One coroutine reads at a time. A read that is cancelled loses nothing.
    """

    def __init__(self, connection: _Connection, address: str) -> None:
        self._connection = connection
        self._address = address

    async def open(self) -> None:
        """Connect; BrokerUnavailable or BrokerRefused if that fails."""
        await self._guarded(self._connection.connect(), TIMEOUT)

    async def send(self, *command: str | float) -> None:
        """Send a command, without waiting for its reply."""
        packed = [_packed(command)]
        await self._guarded(self._connection.send_packed_command(packed, False), TIMEOUT)

    async def read(self, *, within: float) -> Reply:
        """The next reply or message.

        Raises:
            BrokerUnavailable: none came `within` so many seconds, or the connection broke.
        """
        return await self._guarded(
            self._connection.read_response(disconnect_on_error=False), within
        )

    async def close(self) -> None:
        """Close the connection."""
        await _closed(self._connection, nowait=False)

    async def _guarded(self, doing: Any, within: float) -> Reply:
        try:
            async with asyncio.timeout(within):
                return await doing
        except (RedisError, OSError) as error:
            raise translated(error, self._address, within) from error


async def _ask(connection: _Connection, commands: Sequence[Command]) -> list[Reply]:
    packed = [_packed(command) for command in commands]
    async with asyncio.timeout(TIMEOUT):
        await connection.connect()
    async with asyncio.timeout(TIMEOUT):
        await connection.send_packed_command(packed, False)
        return [await _reply(connection) for _ in commands]


async def _reply(connection: _Connection) -> Reply:
    # An error is the answer to one command; the answers to the others follow it.
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error


async def _closed(connection: _Connection, *, nowait: bool = True) -> None:
    # It is being thrown away; how it ends is of no interest.
    with suppress(Exception):
        await connection.disconnect(nowait=nowait)


def _maker(url: str) -> Callable[[], _Connection]:
    scheme, _, _ = url.partition("://")
    if scheme not in ("redis", "rediss"):
        raise BadOption(f"a Redis URL starts with redis:// or rediss://, not {scheme[:20]!r}")
    try:
        pool = _pool_of(
            url,
            protocol=2,
            decode_responses=False,
            socket_connect_timeout=TIMEOUT,
            # Reads have deadlines of their own here, which are cheaper and can be longer.
            socket_timeout=None,
            socket_keepalive=True,
            # Sending twice is decided in `call`, where it is known what that means.
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise BadOption(f"the Redis URL for {_address(url)} is not valid: {error}") from error
    return cast("Callable[[], _Connection]", pool.make_connection)


def _address(url: str) -> str:
    parts = urlsplit(url)
    try:
        return f"{parts.hostname or 'localhost'}:{parts.port or 6379}"
    except ValueError as error:
        raise BadOption("the Redis URL has a port that is not a number from 0 to 65535") from error
