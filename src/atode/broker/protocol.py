"""What atode asks of a place where jobs live: small protocols, split by who calls them.

Everything is plural, endings are data, and brokers report while the core decides: no broker
knows a retry rule. All preconditions of a write are tested before its first effect.

Every method may raise BrokerUnavailable (the store cannot be reached now; the call may
have happened or not, and may be repeated) and BrokerRefused (the store said no).
A broker belongs to the event loop on which it is first used.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, Self

from atode.finding import Finding, Mended
from atode.group import Group, Member
from atode.job import Claim, Job, State
from atode.outcome import Settlement
from atode.presence import Presence, Presences
from atode.schedule import Defines, Schedules
from atode.statistics import Day, QueueStats
from atode.transfer import Moving


class Refused(NamedTuple):
    """A job that was not stored, and why."""

    job: Job
    holder: str
    """Id of the job that is in its way: its own id is taken, or that job has the same
    `unique` text and its time is not over."""


class Queue(Protocol):
    """What producing and running jobs needs."""

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[Refused]:
        """Store new jobs, PENDING, SCHEDULED or AGGREGATING, and wake waiting workers.

        A job that is `unique` locks that text in its queue: until it has succeeded or is
        deleted, and for `unique_for` seconds after it may run at most. Returns the refused
        jobs; they had no effect, and no lock is left of them. A repeated call after
        BrokerUnavailable may therefore report jobs that the first call stored; brokers that
        resend by themselves tell these apart.
        Jobs of one queue are claimed in the order in which they are given. One that is
        AGGREGATING joins its `group`; one that is SCHEDULED and has a group joins at its instant.
        """
        ...

    async def claim(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str
    ) -> Sequence[Claim]:
        """Take up to `limit` pending jobs and hold them for `lease` seconds.

        Oldest first within a queue; queues in the order given, skipping paused ones. An
        empty result means that nothing was ready. A job that was delayed comes with the instant
        at which it was due, unless another program made it pending. A job whose stored form is
        broken comes as a claim with a `problem`, so that it can be settled and blocks nobody;
        one that was cancelled, where that is possible at all, as a claim that says so.
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
        (until `after.due`), ARCHIVED, or PENDING (first in line again, in the order given). A
        job that was cancelled meanwhile does not run again: instead of RETRY or PENDING it
        becomes what `outcome.cancelled` says. Counters move by `tally`; success unlocks what
        the job has locked. Returns the refused ones, without any effect: their claim is not
        the one that holds the job (any more), by worker and claim number.
        """
        ...

    async def wait(self, queues: Sequence[str], *, at_most: float) -> None:
        """Return as soon as one of the queues may have a pending job, or after `at_most` seconds.

        A hint, not a promise: it may return with nothing there. It must not poll.
        """
        ...

    async def claim_next(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str, at_most: float
    ) -> Sequence[Claim]:
        """Wait as `wait` does, and bring what is there then if that costs no further round trip.

        The claims are those of `claim`, under a lease of which a little may be over. An empty
        result means as little as the return of a wait. A caller that is cancelled gets nothing,
        and what was claimed for it goes back.
        """
        ...


class Upkeep(Protocol):
    """What keeps queues moving; every worker does it for its queues, together with all others."""

    async def promote(self, queues: Sequence[str]) -> float | None:
        """Make pending what is due (scheduled and retry), oldest due first, and wake workers.

        A scheduled job with a `group` joins that instead; a retry never does, for such a job has
        been run alone.

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


class Groups(Protocol):
    """What turns jobs that wait for company into one; done by workers that have batch tasks."""

    async def groups(self, queues: Sequence[str]) -> Sequence[Group]:
        """The groups of these queues that have members."""
        ...

    async def members(self, queue: str, group: str, *, limit: int) -> Sequence[Member]:
        """Up to `limit` of a group's jobs, those first that joined first; fewer where they are
        large, but one if there is any. What nobody can read is not among them, and blocks
        nobody: it is moved into the archive."""
        ...

    async def merge(
        self, queue: str, group: str, members: Sequence[Member], jobs: Sequence[Job]
    ) -> bool:
        """In one step delete `members`, with what they have locked, and store `jobs`, which are
        PENDING, new, and one at least, in the same queue; wake workers.

        False, and no effect, if one of the members is not in the group any more as it was read:
        someone else has taken it. A repeated call after BrokerUnavailable stores nothing twice,
        and is True if the first one has done it.
        """
        ...

    async def release(self, queue: str, group: str, members: Sequence[Member]) -> int:
        """Make members ordinary pending jobs, last in line, and wake workers; those that are not
        in the group any more are left alone. They keep what they have locked. How many it were.
        """
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
        were claimed, or as they stood in line; scheduled and retry by due instant, archived by
        when they were, completed by how long they are kept, aggregating by when they joined
        their group: earliest first. Past the end the answer is empty."""
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
        """Make jobs pending now, last in line, and wake workers: scheduled, retry, archived,
        completed and aggregating ones; others are left alone. `retried` stays, so an archived
        job gets one attempt. How many it were."""
        ...

    async def archive(self, queue: str, which: Which) -> int:
        """Move jobs into the archive: pending, scheduled, retry, completed and aggregating ones;
        others are left alone. Their locks stay. How many it were."""
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
        jobs go on, due ones still become pending, and groups batches."""
        ...

    async def resume(self, queue: str) -> bool:
        """Let the queue go on, and wake workers; False if it was not paused."""
        ...

    async def remove(self, queue: str, *, force: bool = False) -> bool:
        """Remove a queue with all that belongs to it. False, and no effect, if it holds jobs
        (with `force`: active ones)."""
        ...


class Limits(Protocol):
    """What limiting how many jobs do something at the same time needs."""

    async def take_place(self, scope: str, holder: str, *, limit: int, until: float) -> bool:
        """Take one of `limit` places in a scope until the instant `until`, at most a second longer.

        A holder has one place at most: who holds one already holds it until `until` now, and
        for him there is always room. False, and no effect, if all places are taken by others.
        Nobody stands in line.
        """
        ...

    async def free_place(self, scope: str, holder: str, *, until: float) -> bool:
        """Give back the place that was taken with this `until`.

        False, and no effect, if there is no such place: its time is over, or the same holder
        has taken it anew with another `until`.
        """
        ...


class Diagnosis(Protocol):
    """What finding out why jobs stand still needs."""

    async def examine(self) -> Sequence[Finding]:
        """What is wrong with the store and with what is in it, in no particular order.

        It changes nothing, needs no `open` before it, and looks at a limited number of jobs.
        What could not be looked at is a finding, too; BrokerUnavailable and BrokerRefused
        are for a store that does not let anything be looked at.
        """
        ...

    async def mend(self, findings: Sequence[Finding]) -> Sequence[Mended]:
        """Put right what is `fixable` among the findings, as it is by now; what was done.

        Safe while workers run, and more than once. No job is deleted by it but those that the
        archive does not keep anyway.
        """
        ...


class Broker(
    Queue,
    Upkeep,
    Presences,
    Groups,
    Cancelling,
    Inspect,
    Schedules,
    Defines,
    Limits,
    Diagnosis,
    Moving,
    Protocol,
):
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
