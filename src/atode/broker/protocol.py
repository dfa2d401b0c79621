"""What atode asks of a place where jobs live: small protocols, split by who calls them.

Everything is plural, endings are data, and brokers report while the core decides: no broker
knows a retry rule. All preconditions of a write are tested before its first effect.

Every method may raise BrokerUnavailable (the store cannot be reached now; the call may
have happened or not, and may be repeated) and BrokerRefused (the store said no).
A broker belongs to the event loop on which it is first used.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, Self

from atode.job import Claim, Job, State
from atode.outcome import Settlement
from atode.presence import Presence
from atode.statistics import Day, QueueStats
from atode.transfer import Arrival, Departure, Moved, Stamp


class Refused(NamedTuple):
    """A job that was not stored, and why."""

    job: Job
    holder: str
    """Id of the job that is in its way: its own id is taken, or that job has the same
    `unique` text and its time is not over."""


class Queue(Protocol):
    """What producing and running jobs needs."""

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[Refused]:
        """Store new jobs, PENDING or SCHEDULED, and wake waiting workers.

        A job that is `unique` locks that text in its queue: until it has succeeded or is
        deleted, and for `unique_for` seconds after it may run at most. Returns the refused
        jobs; they had no effect, and no lock is left of them. A repeated call after
        BrokerUnavailable may therefore report jobs that the first call stored; brokers that
        resend by themselves tell these apart.
        Jobs of one queue are claimed in the order in which they are given.
        """
        ...

    async def claim(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str
    ) -> Sequence[Claim]:
        """Take up to `limit` pending jobs and hold them for `lease` seconds.

        Oldest first within a queue; queues in the order given, skipping paused ones. An
        empty result means that nothing was ready. A job whose stored form is broken comes
        as a claim with a `problem`, so that it can be settled and blocks nobody; one that was
        cancelled, where that is possible at all, as a claim that says so.
        """
        ...

    async def extend(self, claims: Sequence[Claim], *, lease: float) -> Sequence[Claim]:
        """Hold claims for `lease` seconds from now.

        Returns the claims that are lost: settled, deleted, or taken over by another worker.
        """
        ...

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Settlement]:
        """Write how claims ended: each job becomes `after`, or is deleted where that is None.

        `after.state` says where it goes: COMPLETED (kept until `after.kept_until`), RETRY
        (until `after.due`), ARCHIVED, or PENDING (first in line again). A job that was
        cancelled meanwhile does not run again: instead of RETRY or PENDING it becomes what
        `outcome.cancelled` says. Counters move by `tally`; success unlocks what the job has
        locked. Returns the refused ones, without any effect: their claim is not the one that
        holds the job (any more), by worker and claim number.
        """
        ...

    async def wait(self, queues: Sequence[str], *, at_most: float) -> None:
        """Return as soon as one of the queues may have a pending job, or after `at_most` seconds.

        A hint, not a promise: it may return with nothing there. It must not poll.
        """
        ...


class Upkeep(Protocol):
    """What keeps queues moving; every worker does it for its queues, together with all others."""

    async def promote(self, queues: Sequence[str]) -> float | None:
        """Make pending what is due (scheduled and retry), oldest due first, and wake workers.

        Returns the next instant at which something may be due: now or earlier if there is
        more to promote already, None if nothing waits. Never promotes before its time.
        """
        ...

    async def wait_due(self, queues: Sequence[str], *, until: float | None) -> None:
        """Sleep until the instant `until` (None: for long), or until a job that is due earlier
        may have been stored by anyone."""
        ...

    async def reap(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str
    ) -> Sequence[Claim]:
        """Take over up to `limit` active jobs whose lease has run out.

        They come as `worker`'s own claims under a fresh lease, with the next claim number,
        `cancelled` if they were; the caller settles them, so a reaper that dies is reaped in
        turn.
        """
        ...

    async def prune(self, queues: Sequence[str]) -> int:
        """Delete completed jobs whose retention is over, and archived ones beyond age or
        number; how many went."""
        ...

    async def beat(self, presence: Presence, *, lifetime: float) -> None:
        """Show this worker as living for `lifetime` seconds."""
        ...

    async def leave(self, presence: Presence) -> None:
        """Remove this worker's presence."""
        ...


class Cancellation(NamedTuple):
    """News that somebody cancelled a running job; perhaps old news."""

    job_id: str
    queue: str
    """Empty if nobody knows: asynq's tools name no queue, and mean only the attempt, which is
    retried. Otherwise the job is marked as cancelled for good."""


class Cancelling(Protocol):
    """How a worker learns that what it runs was cancelled."""

    async def cancellations(
        self, queues: Sequence[str], *, worker: str, at_most: float
    ) -> Sequence[Cancellation]:
        """Sleep until running jobs of the queues, whoever runs them, are cancelled; for
        `at_most` seconds.

        Each worker is told once, and it is only a hint: `marked` knows. Nothing in the answer
        means that nothing was told, or that something may have been missed. A worker's first
        call only begins to listen, and its answer may be empty at once.
        """
        ...

    async def marked(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        """Which of these claims hold a job that was cancelled for good."""
        ...


Which = Sequence[str] | State
"""Jobs of a queue: those with these ids, or all that are in this state."""


class Inspect(Protocol):
    """What looking at queues needs, and what an operator does to them by hand."""

    async def queues(self) -> Sequence[str]:
        """Names of all queues that were ever used and not removed, sorted."""
        ...

    async def stats(self, queue: str) -> QueueStats | None:
        """How a queue stands, or None if there is none of that name."""
        ...

    async def history(self, queue: str, days: int) -> Sequence[Day]:
        """What the queue did on the last 1 to 90 days (UTC), today first; zeros included."""
        ...

    async def find(
        self, queue: str, state: State, *, offset: int = 0, limit: int = 30
    ) -> Sequence[Job]:
        """Jobs in a state. Pending ones as they will run, the next one first; active ones as they
        were claimed; scheduled and retry by due instant, archived by when they were, completed by
        how long they are kept: earliest first. Past the end the answer is empty."""
        ...

    async def get(self, queue: str, job_id: str) -> Job | None:
        """The job with its state and result, or None if the queue has none of this id."""
        ...

    async def counts(self, queue: str) -> Mapping[State, int]:
        """How many jobs of the queue are in each state; every state is present."""
        ...

    async def workers(self) -> Sequence[Presence]:
        """The workers that live."""
        ...

    async def run(self, queue: str, which: Which) -> int:
        """Make jobs pending now, last in line, and wake workers: scheduled, retry, archived and
        completed ones; others are left alone. `retried` stays, so an archived job gets one
        attempt. How many it were."""
        ...

    async def archive(self, queue: str, which: Which) -> int:
        """Move jobs into the archive: pending, scheduled, retry and completed ones; others are
        left alone. Their locks stay. How many it were."""
        ...

    async def delete(self, queue: str, which: Which) -> int:
        """Delete jobs and unlock what they have locked; active ones are left alone. How many."""
        ...

    async def cancel(self, queue: str, which: Which) -> int:
        """Let jobs not run (again). Those that wait are archived as `outcome.cancelled` says.
        Active ones are marked durably, until they end, and their workers are told; marking
        them again tells again. Ended ones are left alone. Locks stay. How many were cancelled."""
        ...

    async def replace_payload(self, queue: str, job_id: str, payload: bytes) -> bool:
        """Give a scheduled job other arguments; False if no scheduled job has this id. What it
        has locked stays as it was."""
        ...

    async def pause(self, queue: str) -> bool:
        """Let nothing more be claimed from the queue; False if it was paused already. Running
        jobs go on, due ones still become pending."""
        ...

    async def resume(self, queue: str) -> bool:
        """Let the queue go on, and wake workers; False if it was not paused."""
        ...

    async def remove(self, queue: str, *, force: bool = False) -> bool:
        """Remove a queue with all that belongs to it. False, and no effect, if it holds jobs
        (with `force`: active ones)."""
        ...


class Moving(Protocol):
    """How the jobs of a queue move from this store to another, or from another one to this.

    A mover takes turns: the old store gives some jobs, the new one receives them and remembers
    that it did, the old one deletes them and remembers that it did. Whatever dies in between,
    these two memories tell the next mover of each job where it is, even if it has been run and
    deleted since, and even if another job of its id has come. `mover` is a name that nobody
    has used before; a store listens to the last one of a queue that has started.
    """

    async def start_giving(self, queue: str, *, mover: str) -> Departure:
        """Pause the queue and let `mover` move it from here. That it was paused by a move, and
        not by somebody, is remembered until it is resumed."""
        ...

    async def give(
        self, queue: str, state: State, *, mover: str, offset: int = 0, limit: int = 500
    ) -> Sequence[Moved]:
        """Up to `limit` jobs in a state behind the first `offset`, in the order of `find`; they
        stay. Fewer where they are large. Nothing in the answer: there are no more.

        Raises:
            BrokerRefused: the queue goes on, or another mover has started.
        """
        ...

    async def given(self, queue: str, ids: Sequence[str], *, stamp: Stamp) -> Sequence[str]:
        """Delete jobs that have arrived, with their locks, all in one transaction; returns those
        that are still here, because a worker has claimed them. At most 500.

        Raises:
            BrokerRefused: another mover has started.
        """
        ...

    async def start_receiving(
        self, queue: str, *, mover: str, given: Stamp | None, paused: bool
    ) -> None:
        """Let `mover` move the queue to here. What was received under the stamp `given` is gone
        from the old store, so nothing of that needs to be remembered. With `paused` the queue
        is paused here, too, unless an earlier mover has begun to move it."""
        ...

    async def receive(self, queue: str, jobs: Sequence[Moved], *, stamp: Stamp) -> Arrival:
        """Store jobs as they were, behind those that are here, and wake workers; all in one
        transaction. At most 500. What was received before has no effect again. A lock that
        another job has here is left to it.

        The mover promises that what it brought under lower numbers is gone from the old store.

        Raises:
            BrokerRefused: another mover has started.
        """
        ...

    async def finish_moving(self, queue: str, *, mover: str) -> None:
        """Forget what was remembered, unless another mover has started. The queue stays paused
        in the old store."""
        ...


class Broker(Queue, Upkeep, Cancelling, Inspect, Moving, Protocol):
    """A whole store, as the app opens it."""

    async def open(self) -> None:
        """Prepare the store if it can be reached now; opening twice is harmless.

        A store on the network is connected on first use instead, so that programs start
        while it is down. A local one raises here what makes it unusable.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and threads; closing twice is harmless."""
        ...

    def sibling(self) -> Self:
        """Another broker on the same store, for use on another thread's event loop."""
        ...
