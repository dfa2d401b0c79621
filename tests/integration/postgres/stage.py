"""What these tests share: looks past the broker, and somebody else who is at the same rows."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from tests.integration.postgres.connections import connect

Ask = Callable[[str], str]
"""The fixture `ask`: what psql prints for a statement."""

T = TypeVar("T")

WAITING = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"


async def until_told(ask: Ask, question: str) -> None:
    """Return as soon as the database says yes."""
    async with asyncio.timeout(30):
        while await asyncio.to_thread(ask, question) != "t":
            await asyncio.sleep(0.05)


@asynccontextmanager
async def under_way(url: str, statement: str) -> AsyncGenerator[Any]:
    """A transaction of somebody else, which has done this and may still go back on it."""
    connection = await connect(url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(statement)
        yield transaction
    finally:
        await connection.close()


async def waiting(call: Coroutine[Any, Any, T], ask: Ask) -> asyncio.Task[T]:
    """The call, once it waits for a lock."""
    task = asyncio.create_task(call)
    async with asyncio.timeout(20):
        while await asyncio.to_thread(ask, WAITING) != "t":
            assert not task.done()
            await asyncio.sleep(0.01)
    return task
