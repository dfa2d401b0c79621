"""A process's line to the one that has started it, and others like it.

The parent says words, the process answers questions in lines of JSON. When the parent is gone,
however it went, the line is cut, and the process is told to stop.
"""

import contextlib
import functools
import json
import logging
import os
import socket
import threading
from collections.abc import Callable
from enum import StrEnum

logger = logging.getLogger("atode")

VARIABLE = "ATODE_LIFELINE"
"""What the parent sets: the line's file descriptor, and the number of the process."""


class Word(StrEnum):
    """What a parent says."""

    STOP = "stop"
    """Claim nothing more, let running jobs finish, end. Said again, it changes nothing."""
    HURRY = "hurry"
    """Hand back what still runs, and end."""
    GROW = "grow"
    """Run so many jobs more at the same time; the number may be below zero."""
    SIZE = "size"
    """Run so many jobs at the same time."""
    HEALTH = "health"
    """How are you?"""
    FIGURES = "figures"
    """What have you counted?"""


QUESTIONS = frozenset({Word.HEALTH, Word.FIGURES})

Hear = Callable[[Word, int], None]
"""Hears a word, and the number that came with it, or 0."""


class Lifeline:
    """The process's end of the line. Words are heard on a thread of their own."""

    def __init__(self, connection: socket.socket, number: int) -> None:
        self.number = number
        """Of this process among those that its parent has started: 1, 2, …"""
        self._connection = connection
        self._hearing, self._answering = threading.Lock(), threading.Lock()
        self._hearers: list[Hear] = []
        self._heard: list[tuple[Word, int]] = []
        threading.Thread(target=self._listen, name="atode-lifeline", daemon=True).start()

    def subscribe(self, hear: Hear) -> None:
        """Call `hear` with each word, on the line's thread; first with those that were said before,
        but for questions, to which nobody waits for an answer any more."""
        with self._hearing:
            self._hearers.append(hear)
            for word, number in self._heard:
                hear(word, number)

    def answer(self, question: Word, told: object) -> None:
        """Tell the parent something, asked or not; nothing happens if it is gone."""
        line = json.dumps([question, told]).encode() + b"\n"
        with self._answering, contextlib.suppress(OSError):
            self._connection.sendall(line)

    def _listen(self) -> None:
        with contextlib.suppress(OSError), self._connection.makefile("r") as lines:
            for line in lines:
                word, _, number = line.strip().partition(" ")
                self._say(Word(word), int(number or 0))
        logger.warning("the process that started this one is gone; this one stops, too")
        self._say(Word.STOP, 0)

    def _say(self, word: Word, number: int) -> None:
        with self._hearing:
            if word not in QUESTIONS:
                self._heard.append((word, number))
            hearers = list(self._hearers)
        for hear in hearers:
            hear(word, number)


@functools.cache
def lifeline() -> Lifeline | None:
    """This process's line to its parent; None if somebody else has started it."""
    # Not for the programs that this one starts.
    said = os.environ.pop(VARIABLE, "")
    if not said:
        return None
    descriptor, _, number = said.partition(",")
    os.set_inheritable(int(descriptor), False)
    return Lifeline(socket.socket(fileno=int(descriptor)), int(number))
