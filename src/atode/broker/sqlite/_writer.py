"""The thread that owns a broker's connection, and how event loops hand it commands."""

import asyncio
import os
import socket
import threading
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from atode.broker.sqlite._options import Options
from atode.broker.sqlite._store import Ending, Store
from atode.broker.sqlite._transaction import Ring, Transaction

_LARGEST_GROUP = 100
"""Calls in one transaction; other processes wait for its end."""

T = TypeVar("T")


class _Call(NamedTuple):
    command: Callable[[Transaction], Any]
    writes: bool
    future: asyncio.Future[Any]


# None asks the thread to end.
_Inbox = SimpleQueue["_Call | None"]


class Writer:
    """Runs commands on a thread of its own: all that have piled up in one transaction.

    The thread starts with the first command and knows nothing of this object, so a writer
    that is forgotten without `close` goes, and its thread with it.
    """

    def __init__(self, path: str, options: Options) -> None:
        self.path = path
        self._options = options
        self._lock = threading.Lock()
        self._inbox: _Inbox | None = None
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], object] = _nothing
        self._pid = 0

    def call(
        self, command: Callable[[Transaction], T], *, writes: bool = True
    ) -> asyncio.Future[T]:
        """The value of `command`, once it is committed.

        A command runs more than once if its transaction has to be repeated, and it runs also
        if its future is cancelled.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._running().put(_Call(command, writes, future))
        return future

    async def close(self) -> None:
        """Run what is under way, close the file, and end the thread."""
        with self._lock:
            thread, self._thread, self._inbox = self._thread, None, None
            self._stop()
        while thread is not None and thread.is_alive():
            # Not joined: that would hold up the loop while the last commands run.
            await asyncio.sleep(0.001)

    def _running(self) -> _Inbox:
        # A forked child inherits this object without its thread, and must not touch the
        # parent's connection; it starts over.
        if self._inbox is not None and self._pid == os.getpid():
            return self._inbox
        with self._lock:
            if self._inbox is None or self._pid != os.getpid():
                self._start()
            assert self._inbox is not None
            return self._inbox

    def _start(self) -> None:
        inbox: _Inbox = SimpleQueue()
        store = Store(self.path, self._options)
        thread = threading.Thread(
            target=_work, args=(inbox, store), name="atode-sqlite", daemon=True
        )
        self._stop = weakref.finalize(self, inbox.put, None)
        self._inbox, self._thread, self._pid = inbox, thread, os.getpid()
        thread.start()


def _nothing() -> None: ...


def _work(inbox: _Inbox, store: Store) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as telephone:
        telephone.setblocking(False)
        while _serve(inbox, store, telephone):
            pass
    store.close()


def _serve(inbox: _Inbox, store: Store, telephone: socket.socket) -> bool:
    """Run one group of commands; whether there may be more."""
    # A function of its own, so that nothing of the group is kept alive until the next one.
    group, is_open = _next_group(inbox)
    if group:
        writes = any(call.writes for call in group)
        endings, rings = store.run([call.command for call in group], writes=writes)
        ring_up(telephone, rings)
        _deliver(list(zip(group, endings, strict=True)))
    return is_open


def _next_group(inbox: _Inbox) -> tuple[list[_Call], bool]:
    group: list[_Call] = []
    call = inbox.get()
    try:
        while call is not None:
            group.append(call)
            if len(group) == _LARGEST_GROUP:
                return group, True
            call = inbox.get_nowait()
    except Empty:
        return group, True
    return group, False


def ring_up(telephone: socket.socket, rings: Sequence[Ring]) -> None:
    """Wake those who wait for news."""
    for kind, port in rings:
        # Who does not hear it looks for himself within a second.
        with suppress(OSError):
            telephone.sendto(kind.encode(), ("127.0.0.1", port))


def _deliver(endings: list[tuple[_Call, Ending]]) -> None:
    for loop, batch in groupby(endings, key=lambda ending: ending[0].future.get_loop()):
        # A loop that is closed has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, list(batch))


def _resolve(endings: list[tuple[_Call, Ending]]) -> None:
    for call, (value, error) in endings:
        if call.future.cancelled():
            continue
        if error is not None:
            call.future.set_exception(error)
        else:
            call.future.set_result(value)
