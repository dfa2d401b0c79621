"""Atode: registry, client and worker together."""

import asyncio
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack
from weakref import WeakKeyDictionary

from atode._portal import Portal
from atode.broker.optional import Migratable
from atode.broker.protocol import Broker
from atode.client import Client
from atode.clock import Clock, SystemClock
from atode.events import Events
from atode.handle import JobHandle
from atode.job import Job
from atode.registration import Registration
from atode.retry import Retry
from atode.schedules import Schedules
from atode.semaphore import Semaphore
from atode.settings import WorkerOptions, load
from atode.size import Wish
from atode.stores import broker_for
from atode.task import Call
from atode.worker import Worker

R = TypeVar("R")


class Atode(Registration):
    """Tasks and the place where their jobs live.

    `url` is `sqlite:///path`, `redis://host:port/database`, `rediss://…`,
    `redis+sentinel://host,host/service`, `redis+cluster://host,host`,
    `postgresql://host:port/database` or `memory://`; without one it comes from `ATODE_URL`,
    else `atode.toml`, else it is `sqlite:///atode.db`.
    `retry` is the policy of tasks that name none. Nothing is opened before it is needed.
    In programs that go on for long, use it as an asynchronous context manager, so that it
    is closed in the end.

    Raises:
        BadOption: no such kind of URL, or a package is missing for it.
    """

    def __init__(
        self, url: str | None = None, *, retry: Retry | None = None, clock: Clock | None = None
    ) -> None:
        super().__init__(retry or Retry(), self)
        self.url = load(url=url).url
        self.events = Events()
        self._clock: Clock = clock or SystemClock()
        self._broker = broker_for(self.url, self._clock)
        self._brokers: WeakKeyDictionary[asyncio.AbstractEventLoop, Broker] = WeakKeyDictionary()
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Client] = WeakKeyDictionary()
        self._portal = Portal()

    # Jobs

    async def enqueue(self, call: Call[R]) -> JobHandle[R]:
        """Store one call, as made by `task.call(…)`; see `Client.enqueue`."""
        return await self.client.enqueue(call)

    def enqueue_sync(self, call: Call[R]) -> JobHandle[R]:
        """Store one call from code without an event loop, on any thread."""
        if call.transaction is None:
            return self._portal.run(lambda: self.enqueue(call))
        # The connection belongs to this thread; the handle's questions go by way of the portal.
        return self._portal.run(self._client_here).enqueue_within_sync(call)

    async def enqueue_many(self, calls: Iterable[Call[Any]]) -> list[JobHandle[Any]]:
        """Store many calls in one round trip; see `Client.enqueue_many`."""
        return await self.client.enqueue_many(calls)

    async def get(self, job_id: str, queue: str = "default") -> Job | None:
        """The job as it is stored now, or None if the queue has none of this id."""
        return await self.client.get(job_id, queue)

    async def migrate(self) -> Sequence[str]:
        """Bring the store's schema up to date; the names of the migrations that were missing.

        Workers and clients do it by themselves when they may; this is for programs that
        deploy. Stores without a schema of their own have none.
        """
        broker = self.broker
        if isinstance(broker, Migratable):
            return await broker.migrate()
        await broker.open()
        return []

    async def cancel(self, job_id: str, queue: str = "default") -> bool:
        """Let a job not run (again). False if there is nothing to cancel: the queue has no job
        of this id, or it has ended.

        A job that waits is archived at once, with the error "cancelled". One that runs is
        marked for good: its worker is told, interrupts the handler (an async one at its next
        `await`; a thread goes on, and its result is ignored) and archives the job. A handler
        that returns before that has succeeded. What a unique job has locked stays locked, as
        for every archived job. A Go worker knows no such mark: see the documentation.

        Raises:
            BrokerUnavailable: the store cannot be reached; safe to try again.
        """
        return await self.client.cancel(job_id, queue)

    def cancel_sync(self, job_id: str, queue: str = "default") -> bool:
        """`cancel` for code without an event loop, on any thread."""
        return self._portal.run(lambda: self.cancel(job_id, queue))

    async def _client_here(self) -> Client:
        return self.client

    @property
    def client(self) -> Client:
        """The client of the running event loop."""
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = Client(self.broker, self._clock, self.events)
        return client

    @property
    def broker(self) -> Broker:
        """The broker of the running event loop: each loop has connections of its own."""
        loop = asyncio.get_running_loop()
        broker = self._brokers.get(loop)
        if broker is None:
            broker = self._brokers[loop] = self._broker.sibling()
        return broker

    # Work

    @property
    def schedules(self) -> Schedules:
        """The schedules of the code and of the store: to look at, pause, add and change."""
        return Schedules(self.timetable, lambda: self.client, self._portal, self._clock)

    def semaphore(self, scope: str, /, *, limit: int) -> Semaphore:
        """So many places that running jobs take in all processes together, under one name:
        `payments = jobs.semaphore("payments", limit=5)`; see `Semaphore.slot`.

        Whoever takes a place goes by his own limit, so all programs should name the same.

        Raises:
            BadOption: the name is blank, longer than 200 characters or holds control characters,
                or the limit is below 1.
        """
        return Semaphore(scope, limit, lambda: self.broker, self._portal, self._clock)

    def worker(self, **options: Unpack[WorkerOptions]) -> Worker:
        """A worker for this app's tasks, on the running event loop; await its `run()`.

        Unless `schedules` is False, it also stores the jobs of schedules; any number of workers
        may.

        Each option not given comes from its `ATODE_…` variable, `atode.toml`, or its
        default; see `Settings`.

        Raises:
            BadOption: an option is out of its range.
        """
        settings = load(url=self.url, **options)
        return Worker(
            self.broker, self.registry, self.timetable, settings, self._clock, self.events
        )

    async def resize(self, worker: str, concurrency: int) -> bool:
        """Let a running worker, wherever it is, run so many jobs at the same time.

        `worker` is its id, `host:pid:random`. It hears of it within five seconds, and does then
        what `Worker.resize` does. False if no worker of this id lives; one of a Go program has
        the size with which it was started.

        Raises:
            BadOption: `concurrency` is no whole number from 1 to 10,000.
            BrokerUnavailable: the store cannot be reached; safe to try again.
        """
        return await self.broker.resize(worker, Wish.of(concurrency))

    def resize_sync(self, worker: str, concurrency: int) -> bool:
        """`resize` for code without an event loop, on any thread."""
        return self._portal.run(lambda: self.resize(worker, concurrency))

    async def __aenter__(self) -> Self:
        await self.broker.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the connections of this event loop, and of those that code without one uses;
        the next use opens new ones."""
        await self._let_go()
        await self._portal.run_if_open(self._let_go)

    async def _let_go(self) -> None:
        loop = asyncio.get_running_loop()
        self._clients.pop(loop, None)
        broker = self._brokers.pop(loop, None)
        if broker is not None:
            await broker.close()
