"""Connections to PostgreSQL: pooled ones for calls, and one of its own for who listens."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, TypeVar, cast

import asyncpg

from atode.broker.postgres._address import Address
from atode.broker.postgres._failures import Dropped, OutOfStep, is_broken, is_conflict, translated
from atode.broker.postgres._schema import migrate, quoted
from atode.errors import AtodeError

TIMEOUT = 10.0
"""Seconds for connecting, and again for the answer to a statement."""

_MOST_CALLS = 5
"""Connections for calls; more calls wait for one."""

_MOST_CONFLICTS = 5
"""How often a statement is repeated that met another one in its way."""

T = TypeVar("T")

Row = Sequence[Any]
Rows = Sequence[Row]

Connection = Any
"""asyncpg's connection, whose own annotations are partial."""

Work = Callable[[Connection], Awaitable[T]]

Ask = Callable[..., Awaitable[Rows]]
"""Runs a statement with its values; what it returns."""


_connect = cast("Callable[..., Awaitable[Connection]]", cast("Any", asyncpg).connect)


class Answer(NamedTuple):
    """The rows that a statement returned."""

    rows: Rows
    resent: bool
    """Whether it was sent twice, so that the first sending may have done it."""


class Link:
    """All connections of one broker; they are made when they are needed.

    The first one brings the schema up to date, or finds that it is.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._idle: list[Connection] = []
        self._generation = 0
        self._places = asyncio.Semaphore(_MOST_CALLS)
        self._texts: dict[str, str] = {}
        self._schema = quoted(address.schema)
        self._preparing = asyncio.Lock()
        self._is_prepared = False

    def text(self, statement: str) -> str:
        """The statement, in this broker's schema."""
        text = self._texts.get(statement)
        if text is None:
            text = self._texts[statement] = statement.replace("{schema}", self._schema)
        return text

    async def rows(self, statement: str, *values: object) -> Rows:
        """What one statement returns; errors as for `call`."""
        return (await self.call(statement, *values)).rows

    async def call(self, statement: str, *values: object) -> Answer:
        """Run one statement, in a transaction of its own.

        When a kept connection turns out dead (the server was restarted), it is sent once more
        on a new one.

        Raises:
            BrokerUnavailable: PostgreSQL cannot be reached or cannot serve now.
            BrokerRefused: PostgreSQL answered with an error.
        """
        rows, resent = await self._run(
            lambda connection: self._rows_on(connection, statement, *values)
        )
        return Answer(rows, resent)

    async def transact(self, work: Callable[[Ask], Awaitable[T]]) -> T:
        """Run statements in one transaction, twice if need be, as in `call`."""

        async def whole(connection: Connection) -> T:
            async with connection.transaction():
                return await work(partial(self._rows_on, connection))

        value, _ = await self._run(whole)
        return value

    async def migrate(self) -> list[str]:
        """Bring the schema up to date now; the names of what was applied."""
        applied: list[str] = []
        connection = await self.guarded(partial(self._connected, applied))
        self._idle.append(connection)
        return applied

    async def line(self) -> Connection:
        """An open connection of its own, with asyncpg's interface; errors as for `call`."""
        return await self.guarded(self._connected)

    async def stranger(self) -> Connection:
        """As `line`, but the schema stays as it is, whatever that may be."""
        return await self.guarded(self._bare)

    async def close(self) -> None:
        """Close what is open; the next call opens anew."""
        await self._close_idle()

    async def _rows_on(self, connection: Connection, statement: str, *values: object) -> Rows:
        return cast(Rows, await connection.fetch(self.text(statement), *values))

    async def _run(self, work: Work[T]) -> tuple[T, bool]:
        conflicts = 0
        resent = False
        while conflicts < _MOST_CONFLICTS:
            try:
                value, again = await self.guarded(partial(self._placed, work))
                return value, resent or again
            except _Conflict:
                # Nothing of it was done; the other one will be through in a moment.
                conflicts += 1
        return await self.guarded(partial(self._placed, work, True))

    async def guarded(self, doing: Callable[[], Awaitable[T]]) -> T:
        """Do something on a line; errors as for `call`."""
        try:
            return await doing()
        except (AtodeError, _Conflict):
            raise
        except Dropped as dropped:
            raise translated(dropped.cause, self.address.place, TIMEOUT) from dropped.cause
        except (
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            OutOfStep,
            OSError,
            ValueError,
        ) as error:
            raise translated(error, self.address.place, TIMEOUT) from error

    async def _placed(self, work: Work[T], last: bool = False) -> tuple[T, bool]:
        async with self._places:
            if self._idle:
                try:
                    return await self._exchange(self._idle.pop(), work, last), False
                except Dropped:
                    await self._close_idle()
                return await self._exchange(await self._connected(), work, last), True
            return await self._exchange(await self._connected(), work, last), False

    async def _exchange(self, connection: Connection, work: Work[T], last: bool) -> T:
        generation = self._generation
        try:
            async with asyncio.timeout(TIMEOUT):
                value = await self._whole(connection, work)
        except BaseException as error:
            if isinstance(error, asyncpg.PostgresError) and not is_broken(error):
                self._kept(connection, generation)
                if is_conflict(error) and not last:
                    raise _Conflict from error
                raise
            # Whatever is still to come on this connection would answer the wrong call.
            connection.terminate()
            if isinstance(error, Exception) and is_broken(error):
                raise Dropped(error) from error
            raise
        self._kept(connection, generation)
        return value

    async def _whole(self, connection: Connection, work: Work[T]) -> T:
        if not self.address.is_pooled or connection.is_in_transaction():
            return await work(connection)
        # A pooler keeps the connection for the length of a transaction only, and a statement
        # takes two messages.
        async with connection.transaction():
            return await work(connection)

    def _kept(self, connection: Connection, generation: int) -> None:
        if generation == self._generation and not connection.is_closed():
            self._idle.append(connection)
        else:
            connection.terminate()

    async def _close_idle(self) -> None:
        # Connections that are in use now are not kept when they come back.
        self._generation += 1
        idle, self._idle = self._idle, []
        for connection in idle:
            # It is being thrown away; how it ends is of no interest.
            with suppress(Exception):
                await connection.close(timeout=1)

    async def _connected(self, applied: list[str] | None = None) -> Connection:
        connection = await self._bare()
        try:
            async with self._preparing:
                if not self._is_prepared or applied is not None:
                    done = await migrate(connection, self.address)
                    self._is_prepared = True
                    if applied is not None:
                        applied += done
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _bare(self) -> Connection:
        return await _connect(self.address.dsn, timeout=TIMEOUT, **self.address.options)


class _Conflict(Exception):
    """Another transaction was in the way; nothing was done."""
