"""Keeps several processes of one program running, until it is told to stop."""

import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from atode.errors import BadOption
from atode.lifeline import Word
from atode.observe.family import Told
from atode.observe.totals import Totals
from atode.processes._child import Child
from atode.processes._pauses import Pauses
from atode.settings import MOST_PROCESSES
from atode.signals import heeding_signals
from atode.size import grown

logger = logging.getLogger("atode")

# For what a worker still does after its running jobs had their time: hand back, write, let go.
_SLACK = 20.0

# A process that is killed takes to the grave what it has counted since it was asked last.
_ASK_EVERY = 2.0

# Told to end before they could hear it: they had claimed nothing yet.
_CLEAN = frozenset({0, -signal.SIGTERM, -signal.SIGINT})


class Processes:
    """So many times this very program, each with a lifeline to this process.

    `concurrency` is the size with which their workers start, `shutdown_timeout` for how long
    they may run on when they are told to stop.

    Raises:
        BadOption: `count` is not from 1 to 256.
    """

    def __init__(
        self,
        count: int,
        *,
        concurrency: int,
        shutdown_timeout: float,
        command: Sequence[str] | None = None,
    ) -> None:
        if not 1 <= count <= MOST_PROCESSES:
            raise BadOption(f"processes is {count}; it must be from 1 to {MOST_PROCESSES}")
        self.totals = Totals()
        """What all of them have counted, also those that have ended."""
        self._numbers = range(1, count + 1)
        self._first_size = self._size = concurrency
        self._shutdown_timeout = shutdown_timeout
        self._command = command or [sys.executable, *sys.orig_argv[1:]]
        self._children: dict[int, Child] = {}
        self._stopping = asyncio.Event()
        self._hurrying = asyncio.Event()
        self._clean = True

    async def run(self) -> bool:
        """Keep them running until `stop` is called or SIGINT or SIGTERM arrives; all get their
        signals from here, SIGTTIN and SIGTTOU too. Whether all of them ended well then.

        One that ends by itself is started again: at once, or after pauses that grow from half a
        second to 30, if it had not lived for ten seconds.
        """
        asking = asyncio.create_task(self._keep_asking())
        killing = asyncio.create_task(self._kill_late())
        try:
            with heeding_signals(self.stop, self._grow):
                await asyncio.gather(*(self._keep(n) for n in self._numbers))
        finally:
            asking.cancel()
            killing.cancel()
        return self._clean

    def stop(self) -> None:
        """Let all stop softly; called once more, let them hand back at once what still runs."""
        if self._stopping.is_set():
            self._hurrying.set()
        self._stopping.set()
        self._say(Word.HURRY if self._hurrying.is_set() else Word.STOP)

    async def ask(self, question: Word, within: float) -> Sequence[Told]:
        """What each of them answers, in their order; None for one that does not in time."""
        return await asyncio.gather(*(self._told(n, question, within) for n in self._numbers))

    async def _told(self, number: int, question: Word, within: float) -> Told:
        child = self._children.get(number)
        if child is None:
            return Told(number, pid=0, answer=None, starting=0.0)
        answer = await child.ask(question, within)
        lived = asyncio.get_running_loop().time() - child.started_at
        return Told(number, child.pid, answer, starting=0.0 if child.has_spoken else lived)

    def _say(self, word: Word, number: int = 0) -> None:
        for child in self._children.values():
            child.say(word, number)

    def _grow(self, by: int) -> None:
        self._size = grown(self._size, by)
        self._say(Word.GROW, by)

    async def _keep(self, number: int) -> None:
        pauses = Pauses()
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            started_at = loop.time()
            ending = await self._live(number)
            if self._stopping.is_set():
                return
            pause = pauses.after(loop.time() - started_at)
            again = f"in {pause:g} s" if pause else "now"
            logger.error("process %d %s; it is started again %s", number, ending, again)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _live(self, number: int) -> str:
        """The life of one process; how it ended."""
        try:
            child = await Child.start(
                number, self._command, lambda told: self.totals.hear(number, told)
            )
        except OSError as error:
            self._clean = self._clean and not self._stopping.is_set()
            return f"cannot be started: {error}"
        logger.info("process %d runs as %d", number, child.pid)
        self._children[number] = child
        if self._size != self._first_size:
            child.say(Word.SIZE, self._size)
        if self._stopping.is_set():
            child.say(Word.HURRY if self._hurrying.is_set() else Word.STOP)
        try:
            code = await child.ended()
        finally:
            child.hang_up()
            del self._children[number]
            self.totals.end(number)
        ending = f"({child.pid}) ended with {_named(code)}"
        if self._stopping.is_set() and code not in _CLEAN:
            self._clean = False
            logger.error("process %d %s", number, ending)
        return ending

    async def _keep_asking(self) -> None:
        while not self._stopping.is_set():
            await asyncio.sleep(_ASK_EVERY)
            await self.ask(Word.FIGURES, _ASK_EVERY)

    async def _kill_late(self) -> None:
        await self._stopping.wait()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hurrying.wait(), self._shutdown_timeout)
        await asyncio.sleep(_SLACK)
        for child in self._children.values():
            logger.error("process %d (%d) does not end, and is killed", child.number, child.pid)
            child.kill()


def _named(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
