"""Connections to Redis: pooled ones for calls, and lines of their own for what blocks."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import tee
from typing import Any, NamedTuple, Protocol, cast

import hiredis
from redis.asyncio import Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError, ResponseError

from atode.broker.redis._address import host_and_port
from atode.broker.redis._failures import Dropped, is_broken, translated
from atode.broker.redis._scripts import Argument, Command, with_text
from atode.errors import BrokerError

TIMEOUT = 5.0
"""Seconds for connecting, and again for the answer to a call."""

_MOST_CALLS = 16
"""Calls in flight at once; more wait for a connection."""

_FLUSH_BYTES = 8192
"""Bytes of commands after which they are sent, so that Redis is at work on them while the
rest is made."""

Reply = Any
"""Whatever Redis answers: bytes, int, None or a list of replies."""


class Answer(NamedTuple):
    """The replies to the commands of a call."""

    replies: list[Reply]
    resent: bool
    """Whether the commands were sent twice, so that the first sending may have done them."""


# hiredis's and redis-py's own annotations are partial or wrong for what is used of them here.
_packed = cast("Callable[[Sequence[Argument | float]], bytes]", cast("Any", hiredis).pack_command)
_plain = cast("Callable[..., _Connection]", Connection)
_encrypted = cast("Callable[..., _Connection]", SSLConnection)


Again = Callable[[Command], Command]
"""From a command to what is sent if it has to be sent a second time."""


def unchanged(command: Command) -> Command:
    """For commands that may simply be repeated."""
    return command


class _Connection(Protocol):
    @property
    def is_connected(self) -> bool: ...
    async def connect(self) -> None: ...
    async def disconnect(self, nowait: bool = ...) -> None: ...
    async def send_packed_command(
        self, command: Sequence[bytes], check_health: bool = ...
    ) -> None: ...
    async def read_response(self, *, disconnect_on_error: bool = ...) -> Reply: ...


class Link(Protocol):
    """The way to Redis, whether that is one server or many."""

    address: str
    """For messages."""

    async def call(self, commands: Iterable[Command], again: Again = unchanged) -> Answer:
        """Send commands in one round trip, and their replies in the same order.

        Commands that an iterator makes are sent while the next ones are made. When a kept
        connection turns out dead (the server was restarted), they are sent once more on a new
        one: what `again` gives, if that makes a difference to them.

        Raises:
            BrokerUnavailable: Redis cannot be reached or cannot serve now.
            BrokerRefused: Redis answered one of the commands with an error.
        """
        ...

    async def line(self, key: str) -> "Line":
        """An open connection of its own to the server that has `key`; errors as for `call`."""
        ...

    async def close(self) -> None:
        """Close what is open; the next call opens anew."""
        ...


class Server:
    """All connections to one server; they are made when they are needed. A `Link`."""

    def __init__(self, host: str, port: int, options: Mapping[str, Any]) -> None:
        self.host = host
        self.address = host_and_port(host, port)
        self._make = _maker(host, port, options)
        self._idle: list[_Connection] = []
        self._generation = 0
        self._places = asyncio.Semaphore(_MOST_CALLS)

    async def call(self, commands: Iterable[Command], again: Again = unchanged) -> Answer:
        """As in `Link`."""
        answer = await self.send(commands, again)
        for reply in answer.replies:
            if isinstance(reply, ResponseError):
                raise translated(reply, self.address, TIMEOUT) from reply
        return answer

    async def send(self, commands: Iterable[Command], again: Again = unchanged) -> Answer:
        """Like `call`, but errors that Redis answers are among the replies."""
        if not commands:
            return Answer([], False)
        first, second = tee(commands)
        try:
            async with self._places:
                if self._idle:
                    try:
                        return Answer(await self._exchange(self._idle.pop(), first), False)
                    except Dropped:
                        await self._close_idle()
                    repeated = map(again, second)
                    return Answer(await self._exchange(self._make(), repeated), True)
                return Answer(await self._exchange(self._make(), first), False)
        except Dropped as dropped:
            raise translated(dropped.cause, self.address, TIMEOUT) from dropped.cause
        except (RedisError, OSError) as error:
            raise translated(error, self.address, TIMEOUT) from error

    async def line(self, key: str = "") -> "Line":
        """As in `Link`; all keys are here."""
        line = Line(self._make(), self.address)
        try:
            await line.open()
        except BaseException:
            await line.close()
            raise
        return line

    async def close(self) -> None:
        """As in `Link`."""
        await self._close_idle()

    async def _close_idle(self) -> None:
        # Connections that are in use now are not kept when they come back.
        self._generation += 1
        idle, self._idle = self._idle, []
        for connection in idle:
            await _closed(connection, nowait=False)

    async def _exchange(self, connection: _Connection, commands: Iterable[Command]) -> list[Reply]:
        generation = self._generation
        try:
            sent, replies = await _ask(connection, commands)
            missing = [n for n, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            if missing:
                # The server was restarted since it learnt the scripts, or is a new one.
                _, repeated = await _ask(connection, [with_text(sent[n]) for n in missing])
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
        await self.send_all([command])

    async def send_all(self, commands: Iterable[Sequence[Argument | float]]) -> None:
        """Send commands together, without waiting for their replies."""
        packed = [_packed(command) for command in commands]
        await self._guarded(self._connection.send_packed_command(packed, False), TIMEOUT)

    async def read(self, *, within: float) -> Reply:
        """The next reply or message.

        Raises:
            BrokerUnavailable: none came `within` so many seconds, or the connection broke.
        """
        return await self._guarded(
            self._connection.read_response(disconnect_on_error=False), within
        )

    async def answer(self, *, within: float) -> Reply:
        """Like `read`, but an error that Redis answers is a reply, too; see `failure`."""
        return await self._guarded(_reply(self._connection), within)

    def failure(self, reply: ResponseError) -> BrokerError:
        """What to raise for an error among the replies."""
        error = translated(reply, self._address, TIMEOUT)
        error.__cause__ = reply
        return error

    def say_no_more(self) -> None:
        """Tell the server, where that is possible, that nobody waits any more.

        It then drops a command that blocks, with all that was sent behind it. What it has
        answered before can still be read; then the connection ends.
        """
        # redis-py has no way to close one direction only, and TLS has none at all.
        writer = getattr(self._connection, "_writer", None)
        if writer is not None and writer.can_write_eof():
            with suppress(OSError, RuntimeError):
                writer.write_eof()

    async def close(self) -> None:
        """Close the connection."""
        await _closed(self._connection, nowait=False)

    async def _guarded(self, doing: Any, within: float) -> Reply:
        try:
            async with asyncio.timeout(within):
                return await doing
        except (RedisError, OSError) as error:
            raise translated(error, self._address, within) from error


async def _ask(
    connection: _Connection, commands: Iterable[Command]
) -> tuple[list[Command], list[Reply]]:
    # Looked at here, since redis-py takes longer to see that it is connected than to send.
    if not connection.is_connected:
        async with asyncio.timeout(TIMEOUT):
            await connection.connect()
    async with asyncio.timeout(TIMEOUT):
        sent = await _sent(connection, commands)
        return sent, [await _reply(connection) for _ in sent]


async def _sent(connection: _Connection, commands: Iterable[Command]) -> list[Command]:
    sent: list[Command] = []
    unsent: list[bytes] = []
    size = 0
    for command in commands:
        if size >= _FLUSH_BYTES:
            await connection.send_packed_command(unsent, False)
            # It goes out at the end of a turn of the event loop.
            await asyncio.sleep(0)
            unsent, size = [], 0
        unsent.append(_packed(command))
        size += len(unsent[-1])
        sent.append(command)
    await connection.send_packed_command(unsent, False)
    return sent


async def _reply(connection: _Connection) -> Reply:
    # An error is the answer to one command; the answers to the others follow it.
    try:
        return await connection.read_response(disconnect_on_error=False)
    except ResponseError as error:
        return error


async def _closed(connection: _Connection, *, nowait: bool = True) -> None:
    # It is being thrown away; how it ends is of no interest.
    with suppress(Exception):
        await connection.disconnect(nowait=nowait)


def _maker(host: str, port: int, options: Mapping[str, Any]) -> Callable[[], _Connection]:
    given = dict(options)
    kind = _encrypted if given.pop("tls") else _plain
    return partial(
        kind,
        host=host,
        port=port,
        **given,
        protocol=2,
        decode_responses=False,
        socket_connect_timeout=TIMEOUT,
        # Reads have deadlines of their own here, which are cheaper and can be longer.
        socket_timeout=None,
        socket_keepalive=True,
        # Sending twice is decided in `send`, where it is known what that means.
        retry=Retry(NoBackoff(), 0),
    )
