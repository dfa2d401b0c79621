"""The worker under measurement: a process as a user starts it, or a task in this one."""

import asyncio
import os
import sys
import sysconfig
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import typer

from bench.board import VARIABLE
from bench.stage import Stage
from bench.usage import Usage, usage_of

CONCURRENCY = 100

_ROOT = Path(__file__).parent.parent
_LONGEST_START = 15.0
_LONGEST_STOP = 15.0


class WorkerFailed(Exception):
    """The worker did not start, or did not stop as it should."""


class Worker(NamedTuple):
    """A worker that serves its stage's queue."""

    pid: int

    def usage(self) -> Usage | None:
        """What it has taken so far; None where the system does not say."""
        return usage_of(self.pid)


def worker_on(stage: Stage, *, profile: Path | None = None) -> AbstractAsyncContextManager[Worker]:
    """A worker, from being ready until its soft stop.

    `profile` is a file for cProfile's figures of the process's main thread.

    Raises:
        WorkerFailed: see there. The figures of such a run are worth nothing.
    """
    return _process(stage, profile) if stage.store.is_shared else _task(stage)


@asynccontextmanager
async def _task(stage: Stage) -> AsyncGenerator[Worker]:
    worker = stage.tasks.jobs.worker(concurrency=CONCURRENCY)
    running = asyncio.create_task(worker.run(signals=False))
    try:
        await _ready(stage, os.getpid())
        yield Worker(os.getpid())
    finally:
        worker.stop()
        await running


@asynccontextmanager
async def _process(stage: Stage, profile: Path | None) -> AsyncGenerator[Worker]:
    log = stage.store.folder / "worker.log"
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *_command(profile),
            # Away from the caller's atode.toml and ATODE_… variables.
            cwd=stage.store.folder,
            env=_environment(stage),
            stderr=file,
        )
    try:
        await _ready(stage, process.pid)
        yield Worker(process.pid)
        process.terminate()
        await asyncio.wait_for(process.wait(), _LONGEST_STOP)
    except TimeoutError:
        raise WorkerFailed(f"the worker did not start or stop in time\n{log.read_text()}") from None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode:
        raise WorkerFailed(f"the worker ended with {process.returncode}\n{log.read_text()}")
    if complaints := log.read_text():
        # A claim lost, an outage: the figures are still counted, but should be looked at.
        typer.echo(f"The worker's log says:\n{complaints}", err=True)


def _command(profile: Path | None) -> Sequence[str]:
    atode = str(Path(sysconfig.get_path("scripts")) / "atode")
    options = ("--concurrency", str(CONCURRENCY), "--log-level", "warning")
    profiler = ("-m", "cProfile", "-o", str(profile)) if profile else ()
    return (sys.executable, *profiler, atode, "worker", "bench.app:jobs", *options)


def _environment(stage: Stage) -> dict[str, str]:
    ours = {"ATODE_URL": stage.url, VARIABLE: str(stage.board_path), "PYTHONPATH": str(_ROOT)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ATODE_")}
    return kept | ours


async def _ready(stage: Stage, pid: int) -> None:
    async with asyncio.timeout(_LONGEST_START):
        while not any(seen.pid == pid for seen in await stage.tasks.jobs.broker.workers()):
            await asyncio.sleep(0.01)
