"""A way into an event loop for code that has none."""

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Portal:
    """An event loop on a daemon thread, started at the first call.

    A forked child has no such thread, so it starts one of its own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0

    def run(self, make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run the coroutine that `make` makes, and block the calling thread until it is done."""
        return asyncio.run_coroutine_threadsafe(make(), self._running_loop()).result()

    async def run_if_open(self, make: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Run the coroutine in the portal's loop, too, if `run` has ever been called."""
        loop = self._loop
        is_open = loop is not None and self._pid == os.getpid()
        if loop and is_open and loop is not asyncio.get_running_loop():
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(make(), loop))

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                self._loop = asyncio.new_event_loop()
                self._pid = os.getpid()
                threading.Thread(
                    target=self._loop.run_forever, name="atode-portal", daemon=True
                ).start()
            return self._loop
