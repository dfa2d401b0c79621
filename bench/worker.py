"""The worker under measurement: a process as a user starts it, or a task in this one."""

import asyncio
import os
import sys
import sysconfig
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import NamedTuple

import typer

from bench.board import VARIABLE
from bench.stage import Stage
from bench.usage import Usage, usage_of

CONCURRENCY = 100

_ROOT = Path(__file__).parent.parent
_LONGEST_START = 15.0
_LONGEST_STOP = 15.0


IsReady = Callable[[Stage, int], Awaitable[bool]]
"""Whether the worker that was started as this process takes jobs."""


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
    if not stage.store.is_shared:
        return _task(stage)
    return serving(stage, command_of(concurrency=CONCURRENCY, profile=profile))


@asynccontextmanager
async def _task(stage: Stage) -> AsyncGenerator[Worker]:
    worker = stage.tasks.jobs.worker(concurrency=CONCURRENCY)
    running = asyncio.create_task(worker.run(signals=False))
    try:
        await _ready(stage, os.getpid(), shows_presence)
        yield Worker(os.getpid())
    finally:
        worker.stop()
        await running


async def shows_presence(stage: Stage, pid: int) -> bool:
    """Whether a worker of this process stands among those that live."""
    return any(seen.pid == pid for seen in await stage.tasks.jobs.broker.workers())


@asynccontextmanager
async def serving(
    stage: Stage, command: Sequence[str], is_ready: IsReady = shows_presence
) -> AsyncGenerator[Worker]:
    """The worker that `command` starts, from being ready until its soft stop.

    Raises:
        WorkerFailed: see there.
    """
    async with started(stage, command, is_ready) as (process, log):
        try:
            yield Worker(process.pid)
            process.terminate()
            await asyncio.wait_for(process.wait(), _LONGEST_STOP)
        except TimeoutError:
            raise _failed("did not stop in time", log) from None
    if process.returncode:
        raise _failed(f"ended with {process.returncode}", log)
    if complaints := log.read_text():
        # A claim lost, an outage: the figures are still counted, but should be looked at.
        typer.echo(f"The worker's log says:\n{complaints}", err=True)


@asynccontextmanager
async def started(
    stage: Stage, command: Sequence[str], is_ready: IsReady = shows_presence
) -> AsyncGenerator[tuple[Process, Path]]:
    """The process of a worker that is ready, and its log; killed in the end if it still runs.

    Raises:
        WorkerFailed: it did not start in time.
    """
    with NamedTemporaryFile(dir=stage.store.folder, suffix=".log", delete=False) as file:
        log = Path(file.name)
        process = await asyncio.create_subprocess_exec(
            *command,
            # Away from the caller's atode.toml and ATODE_… variables.
            cwd=stage.store.folder,
            env=_environment(stage),
            stderr=file,
        )
    try:
        if not await _ready(stage, process.pid, is_ready):
            raise _failed("did not start in time", log)
        yield process, log
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def command_of(
    *options: str, concurrency: int = CONCURRENCY, profile: Path | None = None
) -> Sequence[str]:
    """How a user starts a worker of the benchmark's tasks."""
    atode = str(Path(sysconfig.get_path("scripts")) / "atode")
    settings = ("--concurrency", str(concurrency), "--log-level", "warning", *options)
    profiler = ("-m", "cProfile", "-o", str(profile)) if profile else ()
    return (sys.executable, *profiler, atode, "worker", "bench.app:jobs", *settings)


def _environment(stage: Stage) -> dict[str, str]:
    ours = {"ATODE_URL": stage.url, VARIABLE: str(stage.board_path), "PYTHONPATH": str(_ROOT)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ATODE_")}
    return kept | ours


def _failed(how: str, log: Path) -> WorkerFailed:
    return WorkerFailed(f"the worker {how}\n{log.read_text()}")


async def _ready(stage: Stage, pid: int, is_ready: IsReady) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST_START):
            while not await is_ready(stage, pid):
                await asyncio.sleep(0.01)
            return True
    return False
