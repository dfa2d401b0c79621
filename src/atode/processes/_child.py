"""One process that was started here: a way to talk to it, and its end."""

import asyncio
import json
import os
import socket
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Self

from atode.lifeline import VARIABLE, Word

# An answer is one line; figures of many tasks are long.
_LONGEST_LINE = 2**26


class Child:
    """A running process. Whatever becomes of us, it is told: our end of its line goes with us."""

    def __init__(
        self,
        number: int,
        process: Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        told: Callable[[Any], None],
    ) -> None:
        self.number = number
        self.pid = process.pid
        self.started_at = asyncio.get_running_loop().time()
        self.has_spoken = False
        """Whether it has told anything: until then it is starting, and would not hear questions."""
        self._process = process
        self._writer = writer
        self._told = told
        self._questions: dict[Word, asyncio.Future[Any]] = {}
        self._listening = asyncio.create_task(self._listen(reader))

    @classmethod
    async def start(cls, number: int, command: Sequence[str], told: Callable[[Any], None]) -> Self:
        """Start it; `told` gets the figures that it tells.

        Raises:
            OSError: the program cannot be started.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                # A session of its own: Ctrl-C is for us, and we pass it on when it can be heard.
                process = await asyncio.create_subprocess_exec(
                    *command,
                    env=os.environ | {VARIABLE: f"{theirs.fileno()},{number}"},
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,
                )
        except BaseException:
            ours.close()
            raise
        reader, writer = await asyncio.open_connection(sock=ours, limit=_LONGEST_LINE)
        return cls(number, process, reader, writer, told)

    def say(self, word: Word, number: int = 0) -> None:
        """Say a word; it is heard as soon as the process is ready to."""
        with suppress(OSError, RuntimeError):
            self._writer.write(f"{word} {number}\n".encode())

    async def ask(self, question: Word, within: float) -> Any:
        """What it answers; None if it does not in time, or is starting."""
        if not self.has_spoken:
            return None
        answer = self._questions.get(question)
        if answer is None or answer.done():
            answer = self._questions[question] = asyncio.get_running_loop().create_future()
        self.say(question)
        done, _ = await asyncio.wait((answer,), timeout=within)
        return answer.result() if done and not answer.cancelled() else None

    def kill(self) -> None:
        """End it as it stands."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def ended(self) -> int:
        """Wait for its end, and for the last that it told; the exit code, or minus a signal."""
        code = await self._process.wait()
        # Its own children may hold the line.
        await asyncio.wait((self._listening,), timeout=1)
        for answer in self._questions.values():
            answer.cancel()
        return code

    def hang_up(self) -> None:
        """Cut the line: should it still run, it stops."""
        self._listening.cancel()
        self._writer.close()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(OSError, ValueError):
            while line := await reader.readline():
                question, told = json.loads(line)
                self.has_spoken = True
                if question == Word.FIGURES:
                    self._told(told)
                waiting = self._questions.get(question)
                if waiting and not waiting.done():
                    waiting.set_result(told)
