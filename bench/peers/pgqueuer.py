"""PgQueuer: `python -m bench.peers.pgqueuer`."""

import asyncio
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg
from pgqueuer import AsyncpgDriver, PgQueuer, Queries
from pgqueuer.models import Job

from bench.board import Board
from bench.peers.orders import announce, answer, run

_ENTRYPOINT = "count"
# The fastest of 50, 100, 250, 500 and 1,000.
_BATCH = 250


async def serve(url: str, path: Path) -> None:
    """Run jobs until told to stop."""
    queue = PgQueuer(await _driver(url))
    with Board(path) as board:

        @queue.entrypoint(_ENTRYPOINT)
        async def count(job: Job) -> None:
            board.count(int(job.payload or b""))

        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, queue.shutdown.set)
        announce(path)
        await queue.run(batch_size=_BATCH, dequeue_timeout=timedelta(seconds=1))


class Table:
    """PgQueuer's table, as its client sees it."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def store(self, numbers: range) -> None:
        await self._queries.enqueue(
            [_ENTRYPOINT] * len(numbers),
            [b"%d" % number for number in numbers],
            [0] * len(numbers),
        )

    async def left(self) -> int:
        return sum(row.count for row in await self._queries.queue_size())


async def store(url: str) -> None:
    """Store jobs as standard input tells."""
    queries = Queries(await _driver(url))
    await queries.install()
    await answer(Table(queries))


async def _driver(url: str) -> AsyncpgDriver:
    # asyncpg's own annotations are partial.
    return AsyncpgDriver(await cast("Any", asyncpg).connect(url))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", url, board, _]:
            run(serve(url, Path(board)))
        case [_, url]:
            run(store(url))
        case arguments:
            raise SystemExit(f"unknown arguments {arguments}")
