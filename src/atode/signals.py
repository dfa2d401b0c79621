"""Signals that tell a program which runs jobs to stop, to grow and to shrink."""

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager

# Ctrl-C signals a whole process group, and a supervisor in that group passes it on: two
# signals within this many seconds are one wish.
SAME_SIGNAL = 0.5

_STOP = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def heeding_signals(stop: Callable[[], None], grow: Callable[[int], None]) -> Generator[None]:
    """Inside the block, SIGINT and SIGTERM call `stop`, and SIGTTIN and SIGTTOU `grow`, with 1 and
    with -1, on the event loop that is running now.

    Once stopped, the process hears none of them any more: it was told to end, and ends. To be
    told once more while it exits must not turn success into death by a signal.
    """
    loop = asyncio.get_running_loop()
    told_at = float("-inf")

    def told() -> None:
        nonlocal told_at
        if loop.time() - told_at > SAME_SIGNAL:
            told_at = loop.time()
            stop()

    for number in _STOP:
        loop.add_signal_handler(number, told)
    # What nginx and gunicorn do on these, too.
    loop.add_signal_handler(signal.SIGTTIN, grow, 1)
    loop.add_signal_handler(signal.SIGTTOU, grow, -1)
    try:
        yield
    finally:
        for number in (*_STOP, signal.SIGTTIN, signal.SIGTTOU):
            loop.remove_signal_handler(number)
            if told_at > float("-inf"):
                signal.signal(number, signal.SIG_IGN)
