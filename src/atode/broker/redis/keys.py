"""Every key and channel that the broker touches (the protocol's section 2), in one place."""

import time
from functools import lru_cache
from hashlib import md5

QUEUES = "asynq:queues"
SERVERS = "asynq:servers"
WORKERS = "asynq:workers"
SCHEDULERS = "asynq:schedulers"

DEFINITIONS = "asynq:atode:definitions"
"""A private hash: by id of a schedule, version and text of its definition; beside them, under no
name, the revision of all. Also a channel: new revisions."""

CANCEL = "asynq:cancel"
"""A channel, not a key: ids of jobs whose attempts asynq's tools cancel, in whatever queue."""

OWNER = "owner"
"""Private hash field: the worker that holds the job; only while it is active in our hands."""
CLAIMS = "claims"
"""Private hash field: how often atode has claimed the job; it never goes down."""
DUE = "due"
"""Private hash field: the exact due instant, where the integer score had to round it up."""

CANCELLED = "cancelled"
"""Private hash field: when the job was cancelled for good, while a worker had it. Our workers
take it away when they archive the job; Go's leave it, so that ours archive the job later."""

WAS_DUE = "was_due"
"""Private hash field: the instant at which a pending job was due, and since when it is pending."""

PRIVATE_FIELDS = (OWNER, CLAIMS, DUE, CANCELLED, WAS_DUE)
"""What our hashes hold beyond asynq's own fields; foreign readers never list a hash."""


class QueueKeys:
    """The keys of one queue; the braces keep them in one slot of a cluster."""

    def __init__(self, queue: str) -> None:
        prefix = f"asynq:{{{queue}}}:"
        self.queue = queue
        self.prefix = prefix
        self.jobs = f"{prefix}t:"
        """Followed by a job's id: its hash."""
        self.pending = f"{prefix}pending"
        self.active = f"{prefix}active"
        self.lease = f"{prefix}lease"
        self.scheduled = f"{prefix}scheduled"
        self.retry = f"{prefix}retry"
        self.archived = f"{prefix}archived"
        self.completed = f"{prefix}completed"
        self.paused = f"{prefix}paused"
        self.processed = f"{prefix}processed"
        self.failed = f"{prefix}failed"
        self.groups = f"{prefix}groups"
        self.group = f"{prefix}g:"
        """Followed by a group's name: its waiting jobs."""
        self.aggregation_sets = f"{prefix}aggregation_sets"
        self.visits = f"{prefix}visits"
        """A private zset: groups that a Go server may give members without noting their names,
        as `instant:name`; the score is the instant from which on to look."""
        self.unique = f"{prefix}unique:"
        """Followed by what a unique job does: its lock, which holds the job's id."""
        self.removed = f"{prefix}removed:"
        """A private prefix: containers of a queue that is being removed, by their old names."""
        self.move = f"{prefix}move"
        """A private hash: who moves the queue to or from another store, and whether it is paused
        for that only."""
        self.received = f"{prefix}received"
        """A private hash: ids that came from another store, and may be there still."""
        self.ticks = f"{prefix}ticks"
        """A private hash: the last tick of each schedule whose jobs are stored here."""
        self.ticked = f"{prefix}ticked"
        """A private hash: the job of each schedule's last tick that became one."""
        self.soon = f"{prefix}due"
        """A private channel, not a key: the due instant of a job that is due very soon."""
        self.cancel = f"{prefix}cancel"
        """A private channel, not a key: the id of a running job that was cancelled for good."""

    def job(self, job_id: str) -> bytes:
        """The hash of one job."""
        return self.jobs.encode() + raw_id(job_id)

    def members(self, group: str) -> bytes:
        """The zset of one group's waiting jobs."""
        return self.group.encode() + raw_id(group)

    def processed_on(self, day: str) -> str:
        """The day's counter of ended attempts."""
        return f"{self.processed}:{day}"

    def failed_on(self, day: str) -> str:
        """The day's counter of failed attempts."""
        return f"{self.failed}:{day}"


@lru_cache(maxsize=1024)
def keys_of(queue: str) -> QueueKeys:
    """The keys of a queue, made once."""
    return QueueKeys(queue)


def raw_id(job_id: str) -> bytes:
    """A job's id, or a group's name, as Redis has it.

    Foreign ids may hold any bytes; what is not UTF-8 comes in as lone surrogates and must
    go out as it was, or one such id would stop the settlements of its whole batch.
    """
    return job_id.encode("utf-8", "surrogateescape")


def text_id(raw: bytes) -> str:
    """A job's id, or a group's name, as the core has it."""
    return raw.decode("utf-8", "surrogateescape")


def server_key(worker: str) -> str:
    """Where the ServerInfo of a worker, `host:pid:random`, is stored."""
    return f"asynq:servers:{{{worker}}}"


def workers_key(worker: str) -> str:
    """Where the WorkerInfo of each job that a worker is running is stored."""
    return f"asynq:workers:{{{worker}}}"


def wish_key(worker: str) -> str:
    """A private key: of what size somebody wants a worker to be; empty if nobody does. Workers of
    Go programs have none, since they would not ask for it."""
    return f"asynq:wish:{{{worker}}}"


def scheduler_key(scheduler: str) -> str:
    """Where the SchedulerEntries of a scheduler are stored."""
    return f"asynq:schedulers:{{{scheduler}}}"


def history_key(schedule: str) -> str:
    """Where the SchedulerEnqueueEvents of a schedule are stored."""
    return f"asynq:scheduler_history:{schedule}"


def semaphore_key(scope: str) -> str:
    """Who has taken a place in a scope, and until when."""
    return f"asynq:sema:{scope}"


def day_of(instant: float) -> str:
    """The UTC date in the names of daily counters."""
    return time.strftime("%Y-%m-%d", time.gmtime(instant))


def unique_key(queue: str, task: str, payload: bytes | None) -> str:
    """The lock of a unique job (the protocol's section 2.3).

    No payload at all is not the same as an empty one: it has no digest.
    """
    # Not for security: the digest is part of the wire format.
    digest = "" if payload is None else md5(payload, usedforsecurity=False).hexdigest()
    return f"asynq:{{{queue}}}:unique:{task}:{digest}"
