"""Signals before and after the time in which a server handles them itself."""

import signal
import sys
from types import FrameType


def exit_cleanly_on_signals() -> None:
    """Make SIGINT and SIGTERM end the process with exit code 0.

    A server replaces these handlers while it runs. Until then there is nothing to clean up;
    and uvicorn, when it has cleaned up, sends itself the signal that stopped it once more.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
