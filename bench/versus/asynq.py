"""Go's asynq, in the program whose source is in `bench/go`."""

import json
import shutil
import subprocess
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.enqueue import CALLERS
from bench.latency import EVERY
from bench.stage import QUEUE, Stage
from bench.versus.side import Clerk, NoPeer, our_clerk
from bench.worker import CONCURRENCY, shows_presence

_SOURCE = Path(__file__).parents[1] / "go"

# Where Go's own installer puts it, often without adding it to the PATH.
_USUAL_PLACE = Path("/usr/local/go/bin/go")


class Asynq:
    """The program, built. Its jobs are ours: both sides have one format."""

    name = "asynq"

    def __init__(self, binary: Path) -> None:
        self._binary = binary

    def worker(
        self, stage: Stage, *, concurrency: int = CONCURRENCY, queue: str = QUEUE
    ) -> Sequence[str]:
        slots = ("-concurrency", str(concurrency), "-queue", queue)
        return (*self._command("serve", stage), "-board", str(stage.board_path), *slots)

    async def is_ready(self, stage: Stage, pid: int) -> bool:
        return await shows_presence(stage, pid)

    def clerk(self, stage: Stage) -> AbstractAsyncContextManager[Clerk]:
        return our_clerk(stage)

    async def enqueue(self, stage: Stage, jobs: int) -> float:
        amount = ("-jobs", str(jobs), "-callers", str(CALLERS))
        seconds: float = await _answer((*self._command("enqueue", stage), *amount))
        return jobs / seconds

    async def pace(self, stage: Stage, numbers: range) -> Mapping[int, float]:
        which = ("-first", str(numbers.start), "-jobs", str(len(numbers)))
        command = (*self._command("pace", stage), *which, "-every", f"{EVERY}s")
        sent: list[float] = await _answer(command)
        return dict(zip(numbers, sent, strict=True))

    async def delay(self, stage: Stage, due: Mapping[int, float]) -> None:
        command = (*self._command("delay", stage), "-first", str(min(due)))
        await _answer(command, json.dumps(list(due.values())))

    def _command(self, name: str, stage: Stage) -> Sequence[str]:
        return (str(self._binary), name, "-redis", urlsplit(stage.url).netloc)


def built(folder: Path) -> Asynq:
    """The Go program, compiled into `folder`.

    Raises:
        NoPeer: there is no Go, or its modules cannot be fetched.
    """
    go = shutil.which("go") or (_USUAL_PLACE if _USUAL_PLACE.exists() else None)
    if go is None:
        raise NoPeer("no Go on the PATH")
    binary = folder / "peer"
    done = subprocess.run(
        [go, "build", "-o", binary, "."], cwd=_SOURCE, capture_output=True, text=True
    )
    if done.returncode:
        raise NoPeer(f"go build failed: {done.stderr.strip()}")
    return Asynq(binary)


async def _answer(command: Sequence[str], question: str = "") -> Any:
    process = await create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    answer, _ = await process.communicate(question.encode())
    if process.returncode:
        raise RuntimeError(f"{command[0]} {command[1]} ended with {process.returncode}")
    return json.loads(answer)
