"""SqliteBroker: jobs in one file, for any number of processes on one machine."""

import asyncio
import math
import os
import sqlite3
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Self

from atode.broker.protocol import Cancellation, Refused
from atode.broker.returns import Returns
from atode.broker.sqlite import _bell, _cancels, _defining, _locks, _queue, _upkeep
from atode.broker.sqlite._bell import Bell, Kind
from atode.broker.sqlite._damage import AFTER_CRASH, AT_START, refuse_damaged, was_cut_off
from atode.broker.sqlite._diagnosis import Diagnosis
from atode.broker.sqlite._groups import Groups
from atode.broker.sqlite._limiting import Limiting
from atode.broker.sqlite._moving import Moving
from atode.broker.sqlite._options import options_of
from atode.broker.sqlite._presences import Presences
from atode.broker.sqlite._scheduling import Scheduling
from atode.broker.sqlite._siege import Siege
from atode.broker.sqlite._store import PATIENCE
from atode.broker.sqlite._transaction import Transaction
from atode.broker.sqlite._trouble import translated
from atode.broker.sqlite._within import Within
from atode.broker.sqlite._writer import Writer
from atode.clock import Clock, SystemClock
from atode.errors import BadOption, BrokerError, BrokerRefused
from atode.job import Claim, Job
from atode.outcome import Settlement

# Rings get lost where processes share the file but not the network (two containers), or
# where the one who should ring was killed. So sleepers look for themselves now and then.
_LOOK_EVERY = 1.0
_LONG = 60.0


class SqliteBroker(Groups, Moving, Scheduling, Limiting, Presences, Diagnosis, Within):
    """Keeps jobs in the SQLite file at `path`, which is made if there is none.

    Overlapping calls share one transaction. A process that dies loses nothing that was
    stored. A machine that loses power may lose the last moments under `synchronous`
    "normal", and nothing under "full", which waits for the disk at every transaction.
    A file on a network file system is refused, unless `network` is "allow".

    Raises:
        BadOption: `path`, `synchronous` or `network` cannot be used.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        clock: Clock | None = None,
        *,
        synchronous: str = "normal",
        network: str = "refuse",
    ) -> None:
        self._path = _checked_path(path)
        self._options = options_of(synchronous=synchronous, network=network)
        super().__init__(Writer(self._path, self._options), clock or SystemClock())
        self._was_cut_off = False
        self._bell: Bell | None = None
        self._siege = Siege()
        self._returns = Returns()
        self._told: dict[str, frozenset[Cancellation]] = {}

    async def open(self) -> None:
        """Make or upgrade the file.

        Raises:
            BrokerRefused: its folder is missing, it is no database, it is damaged, it belongs
                to another program, a newer atode wrote it, or it is on a network file system.
            BrokerUnavailable: it is locked by another process, or the disk is full.
        """
        # To be seen only before the file is opened, which may start its log anew.
        self._was_cut_off |= was_cut_off(self._path)
        await self._writer.call(_nothing)

    async def inspect_itself(self) -> None:
        """Look for damage: for a second, or for a minute if the machine went down meanwhile.

        Raises:
            BrokerRefused: it is damaged.
        """
        seconds = AFTER_CRASH if self._was_cut_off else AT_START
        try:
            await asyncio.to_thread(refuse_damaged, self._path, seconds)
        except sqlite3.Error as error:
            # What only keeps us from looking now is no reason to stop.
            refusal = translated(error, self._path, PATIENCE)
            if isinstance(refusal, BrokerRefused):
                raise refusal from error
        self._was_cut_off = False

    async def close(self) -> None:
        await self._returns.over()
        bell, self._bell = self._bell, None
        if bell is not None:
            bell.take_down()
            with suppress(BrokerError):
                await self._writer.call(partial(_bell.hang_up, port=bell.port))
        await self._writer.close()

    def sibling(self) -> Self:
        return type(self)(self._path, self._clock, **self._options._asdict())

    # Queue

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[Refused]:
        if not jobs:
            return []
        command = partial(_queue.enqueue, clock=self._clock, jobs=jobs)
        return await self._writer.call(command)

    async def claim(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str
    ) -> Sequence[Claim]:
        command = partial(
            _queue.claim,
            clock=self._clock,
            queues=queues,
            limit=limit,
            lease=lease,
            worker=worker,
        )
        claiming = self._writer.call(command)
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            # Nobody would run these jobs until their lease is over.
            self._returns.begin(claiming, self.settle)
            raise

    async def extend(self, claims: Sequence[Claim], *, lease: float) -> Sequence[Claim]:
        if not claims:
            return []
        command = partial(_queue.extend, clock=self._clock, claims=claims, lease=lease)
        return await self._writer.call(command)

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Settlement]:
        if not settlements:
            return []
        command = partial(_queue.settle, clock=self._clock, settlements=settlements)
        return await self._writer.call(command)

    async def wait(self, queues: Sequence[str], *, at_most: float) -> None:
        is_there = partial(_bell.has_ready, queues=queues)
        await self._sleep("pending", queues, is_there, until=self._clock.now() + at_most)

    async def claim_next(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str, at_most: float
    ) -> Sequence[Claim]:
        # No way to the store is long enough to be saved.
        await self.wait(queues, at_most=at_most)
        return []

    # Upkeep

    async def promote(self, queues: Sequence[str]) -> float | None:
        return await self._writer.call(partial(_upkeep.promote, clock=self._clock, queues=queues))

    async def wait_due(self, queues: Sequence[str], *, until: float | None) -> None:
        before = math.inf if until is None else until
        is_there = partial(_bell.has_earlier, queues=queues, before=before)
        limit = self._clock.now() + _LONG if until is None else until
        await self._sleep("due", queues, is_there, until=limit, before=before)

    async def reap(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str
    ) -> Sequence[Claim]:
        command = partial(
            _upkeep.reap,
            clock=self._clock,
            queues=queues,
            limit=limit,
            lease=lease,
            worker=worker,
        )
        return await self._writer.call(self._siege.guarded(command))

    async def prune(self, queues: Sequence[str]) -> int:
        gone = 0
        for queue in queues:
            command = partial(_upkeep.prune, clock=self._clock, queue=queue)
            while some := await self._writer.call(command):
                gone += some
            most = _upkeep.MOST_AT_ONCE
            command = partial(_locks.prune, clock=self._clock, queue=queue, limit=most)
            while await self._writer.call(command) == most:
                pass
        return gone

    async def cancellations(
        self, queues: Sequence[str], *, worker: str, at_most: float
    ) -> Sequence[Cancellation]:
        told = self._told.get(worker, frozenset())
        is_there = partial(_cancels.has_news, queues=queues, told=told)
        await self._sleep("cancel", queues, is_there, until=self._clock.now() + at_most)
        now = await self._writer.call(partial(_cancels.marks, queues=queues), writes=False)
        self._told[worker] = now
        return list(now - told)

    async def wait_defined(self, revision: int, *, until: float) -> None:
        is_there = partial(_defining.has_changed, revision=revision)
        await self._sleep("defined", [""], is_there, until=until)

    # Wake-ups

    async def _sleep(
        self,
        kind: Kind,
        queues: Sequence[str],
        is_there: Callable[[Transaction], bool],
        *,
        until: float,
        before: float = math.inf,
    ) -> None:
        bell = await self._hung_bell()
        alarm = asyncio.ensure_future(self._clock.sleep_until(until))
        sleeper = bell.sleeper(kind)
        try:
            # Look only now: what is committed from here on rings.
            if await self._look(bell, kind, queues, before, is_there):
                return
            while not await _first_of(alarm, sleeper):
                if await self._look(bell, kind, queues, before, is_there):
                    # It should have rung.
                    bell.forget(kind)
                    return
        finally:
            alarm.cancel()
            bell.discard(kind, sleeper)

    async def _look(
        self,
        bell: Bell,
        kind: Kind,
        queues: Sequence[str],
        before: float,
        is_there: Callable[[Transaction], bool],
    ) -> bool:
        requests = bell.request(kind, queues, before)
        command = partial(_bell.listen, is_there=is_there, requests=requests)
        try:
            return await self._writer.call(command, writes=bool(requests))
        except BrokerError:
            bell.forget(kind)
            raise

    async def _hung_bell(self) -> Bell:
        if self._bell is None or self._bell.loop is not asyncio.get_running_loop():
            self._bell = Bell()
            weakref.finalize(self, _take_down, self._bell).atexit = False
            await self._bell.hang()
        return self._bell


def _checked_path(path: str | os.PathLike[str]) -> str:
    text = os.fspath(path)
    if not text or text.startswith((":memory:", "file:")):
        raise BadOption(
            f"{text!r} is no path of a file; for jobs that live in this process only, "
            "use memory:// (MemoryBroker)"
        )
    return os.path.abspath(os.path.expanduser(text))


async def _first_of(*futures: asyncio.Future[None]) -> bool:
    done, _ = await asyncio.wait(futures, timeout=_LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


def _nothing(_: object) -> None: ...


def _take_down(bell: Bell) -> None:
    with suppress(RuntimeError):
        bell.loop.call_soon_threadsafe(bell.take_down)
