"""An empty store, a board and the tasks between them: where one measurement takes place."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from atode import State
from bench.board import Board
from bench.store import Store
from bench.tasks import Tasks, tasks_on

QUEUE = "default"

# Nothing started for so long: whatever is missing will not come.
_PATIENCE = 20.0
_LOOK_EVERY = 0.005


class Stage(NamedTuple):
    """One of these for each worker, so that its board is its own."""

    store: Store
    url: str
    board_path: Path
    board: Board
    tasks: Tasks

    async def all_started(self, numbers: range) -> None:
        """Return once every job of these numbers has started, or nothing moves any more."""
        loop = asyncio.get_running_loop()
        started, moved_at = 0, loop.time()
        while started < len(numbers) and loop.time() - moved_at < _PATIENCE:
            await asyncio.sleep(_LOOK_EVERY)
            now = self.board.started(numbers)
            if now > started:
                started, moved_at = now, loop.time()

    async def all_settled(self, left: Callable[[], Awaitable[int]] | None = None) -> None:
        """Return once no job is left in the store that is pending or running, or after long."""
        left = left or self.unsettled
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while await left():
                    await asyncio.sleep(_LOOK_EVERY)

    async def missing(self, jobs: int) -> str:
        """What is wrong with the queue; empty if it holds so many waiting jobs."""
        waiting = (await self.tasks.jobs.broker.counts(QUEUE))[State.PENDING]
        return "" if waiting == jobs else f"{waiting:,} jobs are stored instead of {jobs:,}"

    async def unsettled(self) -> int:
        """How many jobs of the store are pending or running."""
        counts = await self.tasks.jobs.broker.counts(QUEUE)
        return counts[State.PENDING] + counts[State.ACTIVE]


@asynccontextmanager
async def stage_on(store: Store, *, jobs: int) -> AsyncGenerator[Stage]:
    """A stage for jobs numbered from 0, in a store emptied for it."""
    url = store.fresh()
    path = store.folder / "board"
    with Board.create(path, jobs=jobs) as board:
        tasks = tasks_on(url, board)
        async with tasks.jobs:
            yield Stage(store, url, path, board, tasks)
