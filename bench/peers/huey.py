"""Huey on SQLite: `python -m bench.peers.huey`."""

import logging
import sys
from pathlib import Path
from typing import Any, cast

import huey

from bench.board import Board
from bench.peers.orders import announce, answer, run

# More of them wait for each other: the storage has one writer.
_WORKERS = 1

# Its own annotations are partial.
_library = cast("Any", huey)


def serve(path: str, board_path: Path) -> None:
    """Run jobs until told to stop."""
    logging.basicConfig(level=logging.WARNING)
    with Board(board_path) as board:
        queue, _ = _queue_at(path, board)
        queue.on_startup()(lambda: announce(board_path))
        queue.create_consumer(
            workers=_WORKERS,
            initial_delay=0.001,
            max_delay=0.01,
            periodic=False,
            check_worker_health=False,
        ).run()


class File:
    """Huey's file, as its client sees it."""

    def __init__(self, path: str) -> None:
        self._queue, self._count = _queue_at(path, None)

    async def store(self, numbers: range) -> None:
        for number in numbers:
            self._count(number)

    async def left(self) -> int:
        left: int = self._queue.pending_count()
        return left


def _queue_at(path: str, board: Board | None) -> tuple[Any, Any]:
    # At its fastest: it keeps no results, and never waits for the disk.
    queue = _library.SqliteHuey(filename=path, results=False, fsync=False, timeout=60)

    @queue.task()  # type: ignore[untyped-decorator]
    def count(number: int) -> None:
        if board:
            board.count(number)

    return queue, count


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", file, board, _]:
            serve(file, Path(board))
        case [_, file]:
            run(answer(File(file)))
        case arguments:
            raise SystemExit(f"unknown arguments {arguments}")
