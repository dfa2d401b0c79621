"""Peers in programs of their own, which keep their jobs in tables of their own.

A program is started as `serve <place> <board> <slots>`, to run jobs until SIGTERM, and says that
it does by a file `<board>.<its process>`. Or it is started as `store <place>`. Then it makes its
tables and does what each line of standard input asks for: `store <first> <jobs> <bulk>` stores
jobs numbered from `first`, `bulk` in each call, and answers how many seconds that took; `left`
answers how many jobs have not ended.
"""

import json
import os
import shutil
import subprocess
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

from bench.enqueue import BULK
from bench.stage import QUEUE, Stage
from bench.versus.side import Clerk, NoPeer
from bench.worker import CONCURRENCY, WorkerFailed

_ROOT = Path(__file__).parents[2]
_NPM = ("--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", "--fetch-retries=0")
_LONGEST = 90
_PEERS = Path(__file__).parents[1] / "peers"


class Peer:
    """A program as described above."""

    def __init__(self, name: str, *program: str) -> None:
        self.name = name
        self._program = program

    def worker(
        self, stage: Stage, *, concurrency: int = CONCURRENCY, queue: str = QUEUE
    ) -> Sequence[str]:
        return (*self._program, "serve", _place(stage), str(stage.board_path), str(concurrency))

    async def is_ready(self, stage: Stage, pid: int) -> bool:
        return stage.board_path.with_name(f"{stage.board_path.name}.{pid}").exists()

    def clerk(self, stage: Stage) -> AbstractAsyncContextManager[Clerk]:
        return _clerk((*self._program, "store", _place(stage)))


class _Clerk:
    def __init__(self, process: Process) -> None:
        self._process = process

    async def store(self, numbers: range) -> float:
        return await self._ask(f"store {numbers.start} {len(numbers)} {BULK}")

    async def left(self) -> int:
        return int(await self._ask("left"))

    async def _ask(self, order: str) -> float:
        orders, answers = self._process.stdin, self._process.stdout
        assert orders
        assert answers
        orders.write(f"{order}\n".encode())
        await orders.drain()
        answer = await answers.readline()
        if not answer:
            raise WorkerFailed(f"a peer ended instead of answering {order!r}")
        said: float = json.loads(answer)
        return said


@asynccontextmanager
async def _clerk(command: Sequence[str]) -> AsyncGenerator[Clerk]:
    path = {**os.environ, "PYTHONPATH": str(_ROOT)}
    process = await create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env=path)
    try:
        clerk = _Clerk(process)
        # The first question connects, and makes the tables.
        await clerk.left()
        yield clerk
    finally:
        assert process.stdin
        process.stdin.close()
        await process.wait()


def _place(stage: Stage) -> str:
    # A URL; or a file beside the one that is meant by it.
    place, _, _ = stage.url.partition("?")
    return f"{place.removeprefix('sqlite:///')}.peer" if place.startswith("sqlite:") else place


def graphile_worker(folder: Path) -> Peer:
    """graphile-worker, installed by npm into `folder`.

    Raises:
        NoPeer: there is no npm, or it cannot fetch the packages.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NoPeer("no Node with npm on the PATH")
    home = folder / "graphile"
    shutil.copytree(_PEERS / "graphile", home)
    try:
        subprocess.run(
            [npm, "install", *_NPM], cwd=home, check=True, capture_output=True, timeout=_LONGEST
        )
    except subprocess.CalledProcessError as error:
        raise NoPeer(f"npm install failed: {error.stderr.decode().strip()}") from None
    except subprocess.TimeoutExpired:
        raise NoPeer(f"npm install took longer than {_LONGEST} s") from None
    return Peer("graphile-worker", node, str(home / "peer.mjs"))


def pgqueuer(folder: Path) -> Peer:
    """PgQueuer, from the development group.

    Raises:
        NoPeer: it is not installed.
    """
    return _installed("PgQueuer", "pgqueuer")


def huey(folder: Path) -> Peer:
    """Huey, from the development group.

    Raises:
        NoPeer: it is not installed.
    """
    return _installed("Huey", "huey")


def _installed(name: str, package: str) -> Peer:
    if find_spec(package) is None:
        raise NoPeer(f"{package} is not installed; it is in the development group")
    return Peer(name, sys.executable, "-m", f"bench.peers.{package}")
