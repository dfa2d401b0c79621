"""Whether an old snapshot slows a queue down: the session that somebody left open."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from typing import Any, cast

import asyncpg

from bench.enqueue import BULK
from bench.stage import Stage, stage_on
from bench.store import Store
from bench.versus.score import Duel, Reached, at_least
from bench.versus.side import Clerk, Side
from bench.worker import serving

_BACKLOG = 5_000
_MOST_PER_SECOND = 60_000
_LOOK_EVERY = 0.005
_LAST = 1 / 4
"""The part of the time, at its end, that counts."""


async def held(store: Store, side: Side, *, free: float, held: float) -> Reached:
    """Jobs per second while a transaction has been open for long, in per cent of those without.

    Both are stored and run at the same time, for `free` and `held` seconds; what counts is the
    last quarter of `held`, and as many seconds of `free`.
    """
    last = held * _LAST
    usual = await _flow(store, side, seconds=free, last=last, is_held=False)
    slowed = await _flow(store, side, seconds=held, last=last, is_held=True)
    return Reached(slowed.value / usual.value * 100, void=usual.void or slowed.void)


def stood(ours: Reached, *theirs: Reached, seconds: float) -> Duel:
    """The figure."""
    name = f"rate while a snapshot is held for {seconds:g} s"
    return Duel(name, "%", ours, theirs, at_least(60))


async def _flow(store: Store, side: Side, *, seconds: float, last: float, is_held: bool) -> Reached:
    most = int((seconds + 5) * _MOST_PER_SECOND)
    async with stage_on(store, jobs=most) as stage, side.clerk(stage) as clerk:
        stored = range(_BACKLOG)
        await clerk.store(stored)
        async with (
            serving(stage, side.worker(stage), side.is_ready),
            _snapshot(stage.url) if is_held else nullcontext(),
        ):
            source = _Source(stage, clerk, stored)
            await source.flow(seconds - last)
            began, before = time.time(), source.started()
            await source.flow(last)
            rate = (source.started() - before) / (time.time() - began)
            await stage.all_started(source.stored)
            await stage.all_settled(clerk.left)
        return Reached(rate, void=stage.board.complaint(source.stored))


class _Source:
    """Keeps some thousand jobs waiting."""

    def __init__(self, stage: Stage, clerk: Clerk, stored: range) -> None:
        self.stored = stored
        self._stage = stage
        self._clerk = clerk
        self._all_before = 0

    def started(self) -> int:
        """How many jobs have started."""
        recent = self._stage.board.started(range(self._all_before, self.stored.stop))
        return self._all_before + recent

    async def flow(self, seconds: float) -> None:
        """Store jobs for so long, as fast as they are run."""
        until = time.time() + seconds
        while time.time() < until:
            if self.stored.stop - self.started() >= _BACKLOG:
                await asyncio.sleep(_LOOK_EVERY)
                continue
            more = range(self.stored.stop, self.stored.stop + BULK)
            await self._clerk.store(more)
            self.stored = range(more.stop)
            # What is far behind has started, or is missed in the end.
            self._all_before = max(self._all_before, self._first_missing())

    def _first_missing(self) -> int:
        block = range(self._all_before, self._all_before + BULK)
        is_whole = block.stop <= self.stored.stop
        while is_whole and self._stage.board.started(block) == BULK:
            block = range(block.stop, block.stop + BULK)
            is_whole = block.stop <= self.stored.stop
        return block.start


@asynccontextmanager
async def _snapshot(url: str) -> AsyncGenerator[None]:
    # The driver's own annotations are partial.
    connection: Any = await cast("Any", asyncpg).connect(url)
    try:
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        # The first statement takes the snapshot.
        await connection.fetch("SELECT count(*) FROM pg_class")
        yield
    finally:
        await connection.close()
