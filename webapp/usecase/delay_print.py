"""Print a message with the time of printing."""

from webapp.service.clock import Clock
from webapp.service.printer import Printer
from webapp.usecase.message import check_message, on_one_line


class DelayPrint:
    """The rule of the demo job."""

    def __init__(self, printer: Printer, clock: Clock) -> None:
        self._printer = printer
        self._clock = clock

    def print_now(self, message: str) -> None:
        """Print `[2026-01-02 12:34:56] message`, the time being now and local.

        Raises:
            MessageTooLong: nothing was printed, and never will be.
            OSError: nobody takes the line; that may pass.
        """
        check_message(message)
        self._printer.print_line(f"[{self._clock.now():%Y-%m-%d %H:%M:%S}] {on_one_line(message)}")
