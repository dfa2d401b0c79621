"""How long a job is away whose worker is killed."""

import asyncio
import os
import signal
import time
from collections.abc import Sequence

from bench.stage import stage_on
from bench.store import Store
from bench.versus.score import Duel, Reached, below
from bench.versus.side import Side
from bench.worker import command_of, serving, started

_LONGER_THAN_THIS = 3600.0
_PATIENCE = 300.0
_LOOK_EVERY = 0.01


async def recovery(store: Store, worker: Side | float) -> Reached:
    """Seconds from the `kill -9` until the job runs again in another worker.

    A number stands for our worker, with that many seconds as lease.
    """
    async with stage_on(store, jobs=1) as stage:
        command: Sequence[str] = (
            command_of("--lease", str(worker), "--shutdown-timeout", "0", "--log-level", "error")
            if isinstance(worker, (int, float))
            else worker.worker(stage)
        )
        board = stage.board
        async with started(stage, command) as (victim, _):
            await stage.tasks.nap.enqueue(0, _LONGER_THAN_THIS)
            await stage.all_started(range(1))
            async with serving(stage, command):
                first = board.start(0)
                killed = time.time()
                os.kill(victim.pid, signal.SIGKILL)
                while board.start(0) == first and time.time() - killed < _PATIENCE:
                    await asyncio.sleep(_LOOK_EVERY)
                again = board.start(0)
    if again == first:
        return Reached(void=f"the job was not run again within {_PATIENCE:g} s")
    return Reached(again - killed)


def recovered(ours: Reached, theirs: Reached, lease: float) -> Duel:
    """The figure, with what our worker promises."""
    return Duel(f"away after kill -9, lease {lease:g} s", "s", ours, [theirs], below(lease + 1))
