"""The demo job through its layers: processor, use case, service."""

import io
import sys
from datetime import datetime

import pytest

from atode import Permanent
from webapp.jobqueue.processor import DelayPrintProcessor
from webapp.service.printer import StandardOutput
from webapp.usecase.delay_print import DelayPrint
from webapp.usecase.message import LONGEST_MESSAGE


class StoppedClock:
    """Always 2026-01-02 12:34:56."""

    def now(self) -> datetime:
        return datetime(2026, 1, 2, 12, 34, 56, 789_000)


class Sheet:
    """Keeps what is printed."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def print_line(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def sheet() -> Sheet:
    return Sheet()


@pytest.fixture
def processor(sheet: Sheet) -> DelayPrintProcessor:
    return DelayPrintProcessor(DelayPrint(sheet, StoppedClock()))


@pytest.mark.parametrize("message", ["Hello, World!", "", "こんにちは 🎉", "a\tb", "é" * 10_000])
def test_the_line_is_the_time_in_brackets_and_the_message(
    processor: DelayPrintProcessor, sheet: Sheet, message: str
) -> None:
    processor.process(message)

    assert sheet.lines == [f"[2026-01-02 12:34:56] {message}"]


def test_a_message_neither_adds_lines_nor_gives_the_terminal_orders(
    processor: DelayPrintProcessor, sheet: Sheet
) -> None:
    processor.process("a\n[2026-01-02 12:34:56] forged\r\x1b[31m\u2028\x9b\0")

    assert sheet.lines == [
        r"[2026-01-02 12:34:56] a\n[2026-01-02 12:34:56] forged\r\x1b[31m\u2028\x9b\x00"
    ]


def test_a_message_that_is_too_long_is_a_permanent_error(
    processor: DelayPrintProcessor, sheet: Sheet
) -> None:
    with pytest.raises(Permanent, match="10,001 characters; it must have at most 10,000"):
        processor.process("x" * (LONGEST_MESSAGE + 1))

    assert sheet.lines == []


def test_a_closed_output_is_a_passing_error() -> None:
    class Closed:
        def print_line(self, text: str) -> None:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        DelayPrintProcessor(DelayPrint(Closed(), StoppedClock())).process("x")


@pytest.mark.parametrize(
    ("encoding", "printed"), [("utf-8", "é→\n".encode()), ("latin-1", b"\xe9\\u2192\n")]
)
def test_a_terminal_that_lacks_a_letter_gets_an_escape(
    monkeypatch: pytest.MonkeyPatch, encoding: str, printed: bytes
) -> None:
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding))

    StandardOutput().print_line("é→")

    assert output.getvalue() == printed
