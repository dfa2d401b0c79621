"""Threads for ordinary functions.

Not the standard library's pool: its threads are joined when the interpreter exits, so one
handler that never returns would keep a stopped worker alive for ever.
"""

import asyncio
import contextvars
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class _Work(NamedTuple):
    function: Callable[..., Any]
    arguments: Mapping[str, Any]
    context: contextvars.Context
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]


class Threads:
    """Up to `size` daemon threads, started when they are first needed."""

    def __init__(self, size: int) -> None:
        self._size = size
        # The threads themselves count down.
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._started = 0
        self._unanswered = 0

    def run(
        self, function: Callable[..., Any], arguments: Mapping[str, Any]
    ) -> asyncio.Future[Any]:
        """Call `function` in a thread, in a copy of the caller's context; its answer to come.

        Cancelling the answer does not stop the thread: nothing can. It is done, with its
        result or its exception, when the function is.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        answer.add_done_callback(self._answered)
        self._unanswered += 1
        self._start_if_needed()
        self._work.put(_Work(function, arguments, contextvars.copy_context(), loop, answer))
        return answer

    def resize(self, size: int) -> None:
        """Have up to `size` threads; those over it end, busy ones after their function."""
        with self._lock:
            self._size = size
            surplus = self._started - size
        for _ in range(surplus):
            self._work.put(None)

    def close(self) -> None:
        """Let idle threads end; busy ones end after their function."""
        self.resize(0)

    def _start_if_needed(self) -> None:
        with self._lock:
            if not self._unanswered > self._started < self._size:
                return
            self._started += 1
            name = f"atode-handler-{self._started}"
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _answered(self, answer: asyncio.Future[Any]) -> None:
        self._unanswered -= 1

    def _serve(self) -> None:
        while work := self._next():
            try:
                result, error = work.context.run(work.function, **work.arguments), None
            except BaseException as raised:
                result, error = None, raised
            try:
                work.loop.call_soon_threadsafe(_answer, work.answer, result, error)
            except RuntimeError:
                return  # The loop is closed: the worker is gone.
            del work, result, error

    def _next(self) -> _Work | None:
        """What to do next; None if there is a thread too many, which is the one that asks."""
        work = self._work.get()
        while work is None:
            with self._lock:
                if self._started > self._size:
                    self._started -= 1
                    return None
            # There have come to be more threads again since it was told.
            work = self._work.get()
        return work


def _answer(answer: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if answer.done():
        return
    if isinstance(error, (StopIteration, GeneratorExit)):
        # A future refuses the first, and either would end whoever awaits it.
        error = RuntimeError(f"handler raised {error!r}")
    if error is None:
        answer.set_result(result)
    else:
        answer.set_exception(error)
