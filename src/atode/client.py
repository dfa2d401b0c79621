"""Stores calls as jobs, and looks them up again."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from itertools import groupby
from typing import Any, TypeVar

from atode.broker.optional import Transactional
from atode.broker.protocol import Broker, Refused
from atode.clock import Clock
from atode.duration import Duration, seconds
from atode.errors import (
    AtodeError,
    BadOption,
    BrokerUnavailable,
    DuplicateJob,
    JobCancelled,
    JobFailed,
    NotUnique,
    ResultNotKept,
    ResultTimeout,
)
from atode.events import Events, JobEnqueued
from atode.handle import JobHandle
from atode.job import Job, State
from atode.outcome import CANCELLED
from atode.task import Call

R = TypeVar("R")

# How often a waiting caller looks for the end of a job: at first often, as most are short.
_FIRST_LOOK = 0.002
_RAREST_LOOK = 0.25


class Client:
    """One broker's producer side, on one event loop."""

    def __init__(self, broker: Broker, clock: Clock, events: Events) -> None:
        self._broker = broker
        # Looked at once: of a protocol, that takes microseconds.
        self._database = broker if isinstance(broker, Transactional) else None
        self._clock = clock
        self._events = events
        self._mailbox = _Mailbox(broker)

    @property
    def broker(self) -> Broker:
        """Where it stores."""
        return self._broker

    async def enqueue(self, call: Call[R]) -> JobHandle[R]:
        """Store one call. Calls that overlap in time share one round trip.

        Raises:
            BadOption: an option of the call is out of its range.
            DuplicateJob: the queue holds a job of this id already.
            NotUnique: a job with the same arguments is `unique_for` some time still.
            BrokerUnavailable: the store cannot be reached; whether the job was stored is
                unknown if the connection broke, and safe to try again with the same `id`.
        """
        job = call.job(self._clock.now())
        if layers := self._events.layers:
            with layers.enqueuing((job,)) as (job,):
                await self._store_one(call, job)
        else:
            await self._store_one(call, job)
        return self._stored(call, job)

    def enqueue_within_sync(self, call: Call[R]) -> JobHandle[R]:
        """Store one call in its transaction, whose connection blocks, on the caller's thread.

        Errors are those of `enqueue`.
        """
        job = call.job(self._clock.now())
        with self._events.layers.enqueuing((job,)) as (job,):
            broker = self._transactional()
            _raise_first(broker.enqueue_within_sync(call.transaction, [job]))
        return self._stored(call, job)

    async def enqueue_many(self, calls: Iterable[Call[Any]]) -> list[JobHandle[Any]]:
        """Store many calls in one round trip, in their order; all options are checked first.

        Raises:
            DuplicateJob: a queue holds a job of one of the ids already. The others are stored.
            BadOption, BrokerUnavailable: as for `enqueue`.
        """
        now = self._clock.now()
        calls = list(calls)
        with self._events.layers.enqueuing([call.job(now) for call in calls]) as jobs:
            refused = await self._store(calls, jobs)
            if self._events.wanted(JobEnqueued):
                taken = {id(refusal.job) for refusal in refused}
                stored = [job for job in jobs if id(job) not in taken]
                self._events.publish_all([JobEnqueued(job) for job in stored])
            _raise_first(refused)
        return [self._handle(call, job) for call, job in zip(calls, jobs, strict=True)]

    async def get(self, job_id: str, queue: str = "default") -> Job | None:
        """The job as it is stored now, or None if the queue has none of this id."""
        return await self._broker.get(queue, job_id)

    async def cancel(self, job_id: str, queue: str = "default") -> bool:
        """Let a job not run (again), and interrupt it if it runs; see `Atode.cancel`."""
        return bool(await self._broker.cancel(queue, [job_id]))

    async def wait_for_result(
        self, job: Job, decode: Callable[[bytes], Any], timeout: Duration | None
    ) -> Any:
        """What the job's function returned; see `JobHandle.result`."""
        if job.group:
            raise ResultNotKept(
                f"Job {job.id} of task {job.task!r} is one item of a batch, and what the task "
                "returns is the result of the whole batch"
            )
        if job.retention <= 0:
            raise ResultNotKept(
                f"Job {job.id} of task {job.task!r} keeps no result: enqueue it with "
                "options(retention=…), or give its task one"
            )
        limit = None if timeout is None else self._clock.now() + seconds(timeout, "timeout")
        pause = _FIRST_LOOK
        while True:
            now = await self.get(job.id, job.queue)
            if now is None:
                raise ResultNotKept(f"Job {job.id} of task {job.task!r} is not stored any more")
            if now.state is State.COMPLETED:
                return decode(now.result)
            if now.state is State.ARCHIVED:
                kind = JobCancelled if now.error == CANCELLED else JobFailed
                raise kind(job.task, job.id, now.error)
            if limit is not None and self._clock.now() >= limit:
                raise ResultTimeout(
                    f"Job {job.id} of task {job.task!r} is {now.state} after {timeout}"
                )
            wake = self._clock.now() + pause
            await self._clock.sleep_until(wake if limit is None else min(wake, limit))
            pause = min(pause * 1.5, _RAREST_LOOK)

    async def _store_one(self, call: Call[Any], job: Job) -> None:
        if call.transaction is None:
            await self._mailbox.store(job)
        else:
            _raise_first(await self._transactional().enqueue_within(call.transaction, [job]))

    async def _store(self, calls: Sequence[Call[Any]], jobs: Sequence[Job]) -> Sequence[Refused]:
        if all(call.transaction is None for call in calls if call.options):
            return await self._broker.enqueue(jobs)
        refused: list[Refused] = []
        pairs = zip(calls, jobs, strict=True)
        for _, group in groupby(pairs, key=lambda pair: id(pair[0].transaction)):
            some_calls, some_jobs = zip(*group, strict=True)
            transaction = some_calls[0].transaction
            if transaction is None:
                refused += await self._broker.enqueue(some_jobs)
            else:
                refused += await self._transactional().enqueue_within(transaction, some_jobs)
        return refused

    def _transactional(self) -> Transactional:
        if self._database is not None:
            return self._database
        raise BadOption(
            "jobs of this app cannot be stored in a transaction of yours: that takes an app whose "
            "URL is the PostgreSQL database or the SQLite file in which the transaction is"
        )

    def _stored(self, call: Call[R], job: Job) -> JobHandle[R]:
        if self._events.wanted(JobEnqueued):
            self._events.publish(JobEnqueued(job))
        return self._handle(call, job)

    def _handle(self, call: Call[R], job: Job) -> JobHandle[R]:
        return JobHandle(job, call.task.result, self)


def _raise_first(refused: Sequence[Refused]) -> None:
    if refused:
        raise _duplicate(*refused[0])


def _duplicate(job: Job, holder: str) -> DuplicateJob:
    return (DuplicateJob if holder == job.id else NotUnique)(job.queue, holder)


class _Mailbox:
    """Jobs that wait for the next round trip. While one is under way, the next fills up."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._letters: list[tuple[Job, asyncio.Future[str | None]]] = []
        self._under_way = False
        self._postman: asyncio.Task[None] | None = None

    async def store(self, job: Job) -> None:
        """Return once the job is stored, or raise DuplicateJob."""
        holder = await (self._posted(job) if self._under_way else self._carried(job))
        if holder is not None:
            raise _duplicate(job, holder)

    async def _carried(self, job: Job) -> str | None:
        # The caller goes itself: starting a task takes a turn of the event loop.
        self._under_way = True
        try:
            refused = await self._broker.enqueue([job])
        finally:
            self._under_way = bool(self._letters)
            if self._letters:
                self._postman = asyncio.create_task(self._deliver())
        return refused[0].holder if refused else None

    async def _posted(self, job: Job) -> str | None:
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._letters.append((job, answer))
        return await answer

    async def _deliver(self) -> None:
        try:
            while self._letters:
                batch, self._letters = self._letters, []
                await self._send(batch)
        finally:
            self._under_way = False
            self._postman = None

    async def _send(self, batch: Sequence[tuple[Job, asyncio.Future[str | None]]]) -> None:
        try:
            refused = await self._broker.enqueue([job for job, _ in batch])
        except BaseException as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(_twin(error))
            if not isinstance(error, Exception):
                raise
            return
        # By identity, for two jobs of one batch may have the same id.
        holders = {id(refusal.job): refusal.holder for refusal in refused}
        for job, answer in batch:
            if not answer.done():
                answer.set_result(holders.get(id(job)))


def _twin(error: BaseException) -> BaseException:
    # Each caller raises an exception of its own, or their tracebacks would grow into one.
    if isinstance(error, AtodeError):
        try:
            twin = copy(error)
        except TypeError:
            return error  # Its constructor wants something else than its text.
        twin.__cause__ = error.__cause__
        return twin
    if isinstance(error, asyncio.CancelledError):
        return BrokerUnavailable("the event loop ended while the job was being stored")
    return error
