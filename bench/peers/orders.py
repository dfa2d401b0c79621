"""What the peers in Python have in common: the conversation with the benchmark."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Protocol


class Shop(Protocol):
    """Where a peer's jobs are stored."""

    async def store(self, numbers: range) -> None:
        """Store a job for each number, in one call."""
        ...

    async def left(self) -> int:
        """How many jobs have not ended."""
        ...


async def answer(shop: Shop) -> None:
    """Do what standard input asks for until it ends; one line of JSON for each."""
    loop = asyncio.get_running_loop()
    while line := await asyncio.to_thread(sys.stdin.readline):
        order, *numbers = line.split()
        if order == "left":
            _say(await shop.left())
        else:
            first, jobs, bulk = map(int, numbers)
            began = loop.time()
            for start in range(first, first + jobs, bulk):
                await shop.store(range(start, min(start + bulk, first + jobs)))
            _say(loop.time() - began)


def announce(board: Path) -> None:
    """Say that this process runs jobs now."""
    board.with_name(f"{board.name}.{os.getpid()}").touch()


def run(main: Awaitable[None]) -> None:
    """Run a peer on the event loop that its users would take for speed."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(_awaited(main))
    else:
        uvloop.run(_awaited(main))


async def _awaited(main: Awaitable[None]) -> None:
    await main


def _say(answer: float) -> None:
    sys.stdout.write(f"{json.dumps(answer)}\n")
    sys.stdout.flush()
