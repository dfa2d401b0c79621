"""The line of a process to its parent."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from types import FrameType

import pytest

from atode.lifeline import VARIABLE, Lifeline, Word, lifeline

PATIENCE = 20.0


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    lifeline.cache_clear()
    yield
    lifeline.cache_clear()


@pytest.fixture
def parent() -> Iterator[socket.socket]:
    """The other end; the process's is in the environment."""
    ours, theirs = socket.socketpair()
    os.environ[VARIABLE] = f"{theirs.detach()},3"
    with ours:
        yield ours


class Hearer:
    """Obeys, and remembers."""

    def __init__(self) -> None:
        self.heard: list[tuple[Word, int]] = []
        self._news = threading.Condition()

    def __call__(self, word: Word, number: int) -> bool:
        with self._news:
            self.heard.append((word, number))
            self._news.notify_all()
        return True

    def until(self, count: int) -> list[tuple[Word, int]]:
        with self._news:
            assert self._news.wait_for(lambda: len(self.heard) >= count, PATIENCE)
        return self.heard


def the_line() -> Lifeline:
    line = lifeline()
    assert line
    return line


def test_who_was_started_by_somebody_else_has_none() -> None:
    assert lifeline() is None


def test_a_process_has_one_line_which_those_that_it_starts_do_not_see(
    parent: socket.socket,
) -> None:
    line = the_line()
    line.subscribe(Hearer())

    assert line.number == 3
    assert lifeline() is line
    assert VARIABLE not in os.environ


def test_a_line_that_was_another_programs_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as something_else:
        monkeypatch.setenv(VARIABLE, f"{something_else.fileno()},1")

        assert lifeline() is None


def test_who_listens_late_hears_what_was_said_but_no_old_questions(
    parent: socket.socket,
) -> None:
    line, first, second = the_line(), Hearer(), Hearer()
    line.subscribe(first)
    parent.sendall(b"grow -1\nhealth 0\nsize 30\n")
    first.until(3)
    line.subscribe(second)

    assert first.heard == [(Word.GROW, -1), (Word.HEALTH, 0), (Word.SIZE, 30)]
    assert second.heard == [(Word.GROW, -1), (Word.SIZE, 30)]


def test_answers_are_lines_and_nobody_minds_a_parent_that_is_gone(parent: socket.socket) -> None:
    line, hearer = the_line(), Hearer()
    line.subscribe(hearer)

    line.answer(Word.HEALTH, ["", "ü"])
    said = parent.recv(100)
    parent.close()

    assert said == b'["health", ["", "\\u00fc"]]\n'
    assert hearer.until(1) == [(Word.STOP, 0)]
    line.answer(Word.HEALTH, ["", ""])


def test_where_nobody_obeys_the_process_is_told_to_end(parent: socket.socket) -> None:
    told = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        told.set()

    line = the_line()
    line.subscribe(lambda word, number: False)
    before = signal.signal(signal.SIGTERM, end)
    try:
        parent.sendall(b"stop 0\n")
        # The handler runs in this thread, as soon as it is awake.
        for _ in range(int(PATIENCE * 100)):
            if told.wait(0.01):
                break
    finally:
        signal.signal(signal.SIGTERM, before)
        line.subscribe(Hearer())

    assert told.is_set()
