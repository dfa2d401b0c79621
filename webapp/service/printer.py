"""Lines for whoever watches."""

import sys
from threading import Lock
from typing import Protocol


class Printer(Protocol):
    """Something that takes lines of text."""

    def print_line(self, text: str) -> None:
        """Put `text` out as a line of its own, visible at once.

        Raises:
            OSError: nobody takes it.
        """
        ...


class StandardOutput:
    """This process's standard output. Several threads may print at a time."""

    def __init__(self) -> None:
        self._lock = Lock()

    def print_line(self, text: str) -> None:
        # The bytes go out by themselves, because the terminal's encoding may know less
        # letters than the message has, and in one piece, because others print too.
        line = f"{text}\n".encode(sys.stdout.encoding, errors="backslashreplace")
        with self._lock:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
