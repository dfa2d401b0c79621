"""Puts the services of a worker together: start order, soft stop, hard stop, signals."""

import asyncio
import math
import os
import socket
import uuid
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress

from atode.broker.optional import Fragile
from atode.broker.protocol import Broker
from atode.clock import Clock
from atode.events import Events, WorkerResized, WorkerStarted, WorkerStopped, WorkerStopping
from atode.lifeline import Word, lifeline
from atode.presence import Presence, Running
from atode.queues import Queues
from atode.registry import Registry
from atode.settings import Settings
from atode.signals import heeding_signals
from atode.size import Wish, checked_concurrency, grown
from atode.timetable import Timetable
from atode.worker._aggregator import Aggregator
from atode.worker._canceller import Canceller
from atode.worker._completions import Completions
from atode.worker._fetcher import Fetcher
from atode.worker._heartbeat import Heartbeat
from atode.worker._ledger import Ledger
from atode.worker._runner import Runner
from atode.worker._scheduler import Scheduler
from atode.worker._service import Service
from atode.worker._settler import Settler
from atode.worker._upkeep import Promoter, Pruner, Reaper

# What a stopping worker still has to write must not keep it from exiting for ever: what
# is not written by then is run again when its lease is over.
LAST_WRITES = 5.0

# Running jobs that are shown with the worker. More than this is a page nobody reads, and
# a message of megabytes every five seconds.
_SHOWN = 1000


class Worker:
    """Claims jobs, runs them, settles them, until it is told to stop.

    Make one with `jobs.worker(…)` and await `run()`. One worker runs once.
    """

    def __init__(
        self,
        broker: Broker,
        registry: Registry,
        timetable: Timetable,
        settings: Settings,
        clock: Clock,
        events: Events,
    ) -> None:
        host = socket.gethostname() or "unknown-host"
        self.id = f"{host}:{os.getpid()}:{uuid.uuid4()}"
        self._host = host
        self._broker = broker
        self._registry = registry
        self._timetable = timetable
        self._settings = settings
        self._clock = clock
        self._events = events
        self._queues = Queues(settings.queues, strict=settings.strict)
        self._started_at = clock.now()
        self._granted = ""
        """The id of the wish that was granted last."""
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._assemble()

    def _assemble(self) -> None:
        names, lease = self._queues.names, self._settings.lease
        broker, clock, events = self._broker, self._clock, self._events
        self._ledger = ledger = Ledger()
        self._settler = settler = Settler(broker, ledger, events)
        self._completions = Completions(broker, ledger, settler, clock, events)
        self._runner = Runner(
            self._registry,
            ledger,
            settler,
            self._completions,
            clock,
            events,
            concurrency=self._settings.concurrency,
        )
        self._fetcher = Fetcher(
            broker, self._runner, self._queues, events, lease=lease, worker=self.id
        )
        self._services: list[Service] = [
            Promoter(broker, names, clock, events),
            Reaper(broker, names, ledger, settler, clock, events, lease=lease, worker=self.id),
            Pruner(broker, names, events),
            Canceller(broker, names, ledger, self._runner, events, worker=self.id),
        ]
        if batches := self._registry.batches():
            self._services.append(Aggregator(broker, names, batches, clock, events))
        if self._settings.schedules:
            scheduler = Scheduler(broker, self._timetable, clock, events, worker=self.id)
            self._services.append(scheduler)
        self._heartbeat = Heartbeat(
            broker,
            ledger,
            events,
            presence=self.presence,
            lost=self._runner.lose,
            wished=self._grant,
            lease=lease,
        )

    async def run(self, *, signals: bool = True) -> None:
        """Work until `stop` is called or, with `signals`, SIGINT or SIGTERM arrives.

        Then: nothing more is claimed, running jobs may finish for `shutdown_timeout`
        seconds, the rest is handed back at once. A second signal hands back without waiting.
        After a signal, all are ignored for the rest of the process. SIGTTIN makes the worker
        larger by one job, SIGTTOU smaller. With `signals`, a process that `atode.processes`
        has started also does what its parent says, and stops when that is gone.

        Raises:
            BadTask: a task's annotations cannot be resolved, or have no JSON form.
            BrokerRefused: a local store cannot be opened, or is damaged. One on the network that
                is down is waited for instead.
        """
        self._registry.check()
        await self._broker.open()
        if isinstance(self._broker, Fragile):
            await self._broker.inspect_itself()
        with self._told() if signals else nullcontext():
            self._start()
            try:
                await self._stop.wait()
                await self._soft_stop()
            finally:
                await self._hard_stop()

    def stop(self) -> None:
        """Stop softly; called once more, hand back at once what still runs."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    @property
    def concurrency(self) -> int:
        """Jobs that run at the same time; see `resize`."""
        return self._runner.concurrency

    def resize(self, concurrency: int) -> None:
        """Run so many jobs at the same time from now on; call it on the worker's event loop.

        A worker that grows claims at once. One that shrinks interrupts nothing: it claims no
        more until fewer jobs run than that.

        Raises:
            BadOption: it is no whole number from 1 to 10,000.
        """
        before = self.concurrency
        if checked_concurrency(concurrency) == before:
            return
        self._runner.resize(concurrency)
        if concurrency < before:
            # It may be asking for as many jobs as there were slots.
            self._fetcher.hasten()
        self._heartbeat.show()
        self._events.publish(WorkerResized(self.id, before, concurrency))

    def presence(self) -> Presence:
        """What this worker shows of itself."""
        running = tuple(
            Running(
                attempt.claim.job.id,
                attempt.claim.job.task,
                attempt.claim.job.queue,
                attempt.claim.job.payload,
                attempt.started_at,
                0.0 if math.isinf(attempt.deadline) else attempt.deadline,
            )
            for attempt in self._ledger.running()[:_SHOWN]
        )
        return Presence(
            worker=self.id,
            host=self._host,
            pid=os.getpid(),
            concurrency=self.concurrency,
            queues=self._queues.weights,
            strict=self._queues.strict,
            status="stopped" if self._stop.is_set() else "active",
            started_at=self._started_at,
            running=running,
            running_count=self._runner.busy,
        )

    def _start(self) -> None:
        # Receivers before senders, so that nothing is sent to a service that is not there.
        self._heartbeat.start()
        self._settler.start()
        self._completions.start()
        self._runner.deadlines.start()
        for service in self._services:
            service.start()
        self._fetcher.start()
        self._events.publish(
            WorkerStarted(
                self.id,
                tuple(self._queues.names),
                self.concurrency,
                self._registry.names(),
            )
        )

    async def _soft_stop(self) -> None:
        await self._fetcher.stop()
        self._events.publish(WorkerStopping(self.id, self._runner.busy))
        drained = asyncio.ensure_future(self._runner.drained())
        hurry = asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait(
            (drained, hurry),
            timeout=self._settings.shutdown_timeout,
            return_when=asyncio.FIRST_COMPLETED,
        )
        drained.cancel()
        hurry.cancel()

    async def _hard_stop(self) -> None:
        await self._fetcher.stop()
        released = await self._runner.release()
        for service in self._services:
            await service.stop()
        await self._runner.deadlines.stop()
        # If the broker is away, the leases run out and the jobs run again.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._all_written(), LAST_WRITES)
        await self._completions.stop()
        await self._settler.stop()
        await self._heartbeat.stop()
        self._runner.close()
        self._events.publish(WorkerStopped(self.id, released))

    async def _all_written(self) -> None:
        await self._completions.resolved()
        await self._settler.flushed()

    def _grant(self, wish: Wish) -> None:
        # The store tells of the last wish at every beat.
        if wish.id != self._granted:
            self._granted = wish.id
            self.resize(wish.concurrency)

    def _grow(self, by: int) -> None:
        self.resize(grown(self.concurrency, by))

    @contextmanager
    def _told(self) -> Generator[None]:
        """Inside the block, signals tell the worker what to do, and a parent that started it."""
        loop = asyncio.get_running_loop()

        def hear(word: Word, number: int) -> bool:
            try:
                loop.call_soon_threadsafe(self._obey, word, number)
            except RuntimeError:
                return False  # The loop is closed: this worker is done.
            return True

        if line := lifeline():
            line.subscribe(hear)
        with heeding_signals(self.stop, self._grow):
            yield

    def _obey(self, word: Word, number: int) -> None:
        match word:
            case Word.STOP:
                self._stop.set()
            case Word.HURRY:
                self._hurry.set()
                self._stop.set()
            case Word.GROW:
                self._grow(number)
            case Word.SIZE:
                self.resize(number)
            case _:
                pass
