"""Whether a process that runs workers lives, and whether it works."""

import asyncio
import threading

from atode.events import Events, WorkerStarted, WorkerStopped, WorkerStopping

PATIENCE = 5.0
"""Seconds for the event loop to turn."""


class Health:
    """Watches the event loop that is running now, and the workers that tell `events`.

    Ask it on another thread. What it says is what is wrong; empty if nothing is.
    """

    def __init__(self, events: Events) -> None:
        self._loop = asyncio.get_running_loop()
        self._working: set[str] = set()
        self._is_stopping = False
        events.subscribe(WorkerStarted, self._started)
        events.subscribe(WorkerStopping, self._stopping)
        events.subscribe(WorkerStopped, self._stopping)

    def of_loop(self) -> str:
        """Whether the event loop turns: a handler that blocks it blocks everything."""
        turned = threading.Event()
        try:
            self._loop.call_soon_threadsafe(turned.set)
        except RuntimeError:
            return "the event loop is closed"
        if turned.wait(PATIENCE):
            return ""
        return f"the event loop has not turned for {PATIENCE:g} s; does a handler block it?"

    def of_workers(self) -> str:
        """Whether there are workers that claim jobs."""
        if self._is_stopping:
            return "the worker stops"
        return "" if self._working else "no worker has started yet"

    def _started(self, event: WorkerStarted) -> None:
        self._is_stopping = False
        self._working.add(event.worker)

    def _stopping(self, event: WorkerStopping | WorkerStopped) -> None:
        self._is_stopping = True
        self._working.discard(event.worker)
