"""What the memory broker keeps, and whom it wakes when that changes."""

import asyncio
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import NamedTuple

from atode.clock import Clock, wait_until
from atode.job import Claim, Job, State
from atode.outcome import Tally
from atode.presence import Presence
from atode.schedule import Definition, Entry, Fired, Ticked
from atode.size import Wish
from atode.transfer import Stamp

_receipts = count()


@dataclass(slots=True)
class Record:
    job: Job
    claims: int = 0
    holder: str = ""
    receipt: bytes = b""
    """Of the last claim; no other claim has it, not even on a later job of the same id."""
    lease_until: float = 0.0
    archived_at: float = 0.0
    waits_since: float = 0.0
    """Since when it stands in line, or waits in its group."""

    def is_held_by(self, claim: Claim) -> bool:
        return (
            self.job.state is State.ACTIVE
            and self.receipt == claim.receipt
            and self.holder == claim.worker
        )

    def claim(self, worker: str, until: float) -> Claim:
        self.job = self.job._replace(state=State.ACTIVE)
        self.claims += 1
        self.holder = worker
        self.receipt = b"%d" % next(_receipts)
        self.lease_until = until
        return Claim(self.job, worker, self.claims, until, self.receipt)


class LastTick(NamedTuple):
    at: float
    worker: str
    ticked: Ticked
    job_id: str = ""
    """The job of this tick, or of the last one before that became a job."""


@dataclass(slots=True)
class Move:
    """What is remembered while a queue moves."""

    mover: str = ""
    given: Stamp | None = None
    """The last jobs that were deleted here because they had moved."""
    pauses: bool = False
    """Whether the queue is paused for a move only."""
    receives: bool = False
    received: dict[str, Stamp] = field(default_factory=dict[str, Stamp])


@dataclass(slots=True)
class Queue:
    records: dict[str, Record] = field(default_factory=dict[str, Record])
    delayed: dict[str, Record] = field(default_factory=dict[str, Record])
    """Those that were to wait for an instant; some have gone on since."""
    pending: deque[str] = field(default_factory=deque[str])
    locks: dict[str, tuple[str, float]] = field(default_factory=dict[str, tuple[str, float]])
    """What may not be done twice: by which job it is locked, and until when."""
    cancelled: set[str] = field(default_factory=set[str])
    """Active jobs that are not to run again."""
    ticks: dict[str, LastTick] = field(default_factory=dict[str, LastTick])
    """The last tick of each schedule."""
    tallies: Counter[tuple[date, Tally]] = field(default_factory=Counter[tuple[date, Tally]])
    paused: bool = False
    is_used: bool = False
    move: Move = field(default_factory=Move)

    def holder(self, job: Job, now: float) -> str | None:
        """Id of the job that is in the way of a new one."""
        if job.id in self.records:
            return job.id
        if not job.unique_for:
            return None
        holder, until = self.lock_on(job)
        return holder if until > now else None

    def lock_on(self, job: Job) -> tuple[str, float]:
        """Which job has locked what this one does, and until when; "" and 0 if none has."""
        return self.locks.get(job.unique, ("", 0.0))

    def add(self, job: Job, now: float) -> str | None:
        """Store a new job; if one is in its way, the id of that, and nothing is stored."""
        holder = self.holder(job, now)
        if holder is not None:
            return holder
        if job.unique_for:
            self.locks[job.unique] = (job.id, max(now, job.due) + job.unique_for)
        record = Record(job._replace(unique_for=0.0))
        self.records[job.id] = record
        self.is_used = True
        if job.state is State.PENDING:
            self.append(record, now)
        elif job.state is State.AGGREGATING:
            self.join(record, now)
        else:
            self.delayed[job.id] = record
        return None

    def waiting(self) -> list[Record]:
        """Jobs that wait for an instant: scheduled ones, and those to be tried again."""
        # Not a look at all records: this is asked whenever anything has changed.
        self.delayed = {
            job_id: record
            for job_id, record in self.delayed.items()
            if record.job.state in (State.SCHEDULED, State.RETRY)
            and self.records.get(job_id) is record
        }
        return list(self.delayed.values())

    def group(self, name: str) -> list[Record]:
        """The members of a group, those first that joined first."""
        mine = [each for each in self.in_state(State.AGGREGATING) if each.job.group == name]
        return sorted(mine, key=lambda record: record.waits_since)

    def join(self, record: Record, now: float) -> None:
        """Let a job wait in its group."""
        # From here on it waits for others, and is not late.
        record.job = record.job._replace(state=State.AGGREGATING, due=0.0)
        record.waits_since = now

    def remove(self, record: Record) -> None:
        """Delete a job that is not active, and unlock what it has locked."""
        self.leave(record)
        self.unlock(record.job)
        del self.records[record.job.id]

    def leave(self, record: Record) -> None:
        """Take a job out of the line, if it stands in it."""
        if record.job.state is State.PENDING:
            self.pending.remove(record.job.id)

    def append(self, record: Record, now: float) -> None:
        """Make a job pending, last in line."""
        record.job = record.job._replace(state=State.PENDING)
        record.waits_since = now
        self.pending.append(record.job.id)

    def unlock(self, job: Job) -> None:
        """Let others do what this job did."""
        if self.lock_on(job)[0] == job.id:
            del self.locks[job.unique]

    def in_state(self, state: State) -> Iterator[Record]:
        return (record for record in self.records.values() if record.job.state is state)


class Store:
    """What all siblings share, under one lock; and whom to wake when it changes."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.queues: defaultdict[str, Queue] = defaultdict(Queue)
        self.presences: dict[str, tuple[Presence, float]] = {}
        self.wishes: dict[str, Wish] = {}
        """By worker: of what size it should be."""
        self.schedulers: dict[str, tuple[Sequence[Entry], float]] = {}
        self.fired: dict[str, deque[Fired]] = {}
        self.definitions: dict[str, Definition] = {}
        self.revision = 0
        """How often definitions have changed."""
        self.places: dict[str, dict[str, float]] = {}
        """By scope: who has taken a place, and until when."""
        self._bells: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def queue(self, name: str) -> Queue:
        return self.queues[name]

    async def changed(
        self, until: float, clock: Clock, *, unless: Callable[[], bool] = lambda: False
    ) -> None:
        bell = (asyncio.get_running_loop(), asyncio.Event())
        with self.lock:
            # One look under the lock that adds the bell: a change comes before it and is
            # seen, or after it and rings.
            if unless():
                return
            self._bells.add(bell)
        try:
            await wait_until(bell[1], until, clock)
        finally:
            with self.lock:
                self._bells.discard(bell)

    def ring(self) -> None:
        for loop, event in self._bells:
            loop.call_soon_threadsafe(event.set)
