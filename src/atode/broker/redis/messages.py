"""A job as asynq's TaskMessage and back."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from atode.broker.redis.keys import keys_of
from atode.broker.redis.wire import DecodeError, TaskMessage
from atode.job import NO_HEADERS, Job, State
from atode.outcome import CANCELLED

DEFAULT_TIMEOUT = 1800
"""Seconds; asynq's own where a message has neither timeout nor deadline."""

NO_TIMEOUT = 315_360_000
"""Seconds; ten years, the wire's way to say that an attempt may take for ever: asynq wants
a timeout or a deadline."""

UNDECODABLE = "undecodable"
"""Task name under which a message that nobody can read is put into the archive."""


class Read(NamedTuple):
    """What could be made of a stored message."""

    job: Job
    problem: str


def encoded(job: Job) -> bytes:
    """The job as a new message.

    The wire has whole seconds only: timeout and retention are rounded up, so that a
    fraction does not turn into "none"; a deadline is rounded down, as asynq does.
    A job without any limit is written with one of ten years, and read back without.
    """
    return _message(job).SerializeToString()


def all_encoded(jobs: Iterable[Job]) -> Iterator[bytes]:
    """Each job as a new message.

    Jobs that follow each other differ most often in their ids and arguments alone. Then
    only these are changed in the message, in a third of the time that a new one takes.
    """
    before: Job | None = None
    message = TaskMessage()
    for job in jobs:
        # Neither state nor due instant are part of the message.
        if before and job[1:3] == before[1:3] and job[6:] == before[6:]:
            message.id = job.id
            message.payload = job.payload
        else:
            message = _message(job)
        before = job
        yield message.SerializeToString()


def read(encoded: bytes, queue: str, job_id: str, state: State) -> Read:
    """The job that a stored message means, and what is wrong with it if anything is.

    Id and queue are those under which it is stored, whatever the message says.
    """
    try:
        message = TaskMessage.FromString(encoded)
    except DecodeError:
        job = Job(job_id, "", queue, encoded, state)
        return Read(job, "the stored message is not an asynq TaskMessage")
    # By position: this runs for every job that is claimed.
    job = Job(
        job_id,
        message.type,
        queue,
        message.payload,
        state,
        0.0,
        message.retry,
        message.retried,
        _read_timeout(message),
        float(message.deadline),
        float(message.retention),
        _headers(message),
        message.error_msg,
        float(message.last_failed_at),
        float(message.completed_at),
        b"",
        _unique(message.unique_key, queue),
        0.0,
        message.group_key,
    )
    if not job.task:
        return Read(job, "the stored message names no task")
    if message.id != job_id:
        return Read(job, f"the stored message belongs to another job, {message.id!r}")
    return Read(job, "")


def updated(stored: bytes, before: Job, after: Job) -> bytes:
    """The stored message with what changed between `before` and `after`.

    Everything else is kept as it is, fields that we do not know included: another
    program's newer version may have written them.
    """
    try:
        message = TaskMessage.FromString(stored)
    except DecodeError:
        clean = after._replace(id=_utf8(after.id), task=after.task or UNDECODABLE)
        return encoded(clean)
    # What does not agree with the place where it is stored would lead a Go worker astray.
    message.id = _utf8(after.id)
    message.queue = after.queue
    message.type = after.task or UNDECODABLE
    message.retried = after.retried
    message.error_msg = after.error
    message.last_failed_at = int(after.last_failed_at)
    message.completed_at = int(after.completed_at)
    if after.payload != before.payload:
        message.payload = after.payload
    if after.max_retry != before.max_retry:
        message.retry = after.max_retry
    if (after.timeout, after.deadline) != (before.timeout, before.deadline):
        message.timeout = _timeout(after)
        message.deadline = int(after.deadline)
    if after.retention != before.retention:
        message.retention = math.ceil(after.retention)
    if after.headers != before.headers:
        message.headers.clear()
        message.headers.update(after.headers)
    return message.SerializeToString()


def cancellation(now: float) -> bytes:
    """What makes the message of a cancelled job out of any message, added to its end.

    Of a field that comes twice, protobuf readers take the last; so scripts, which cannot
    read messages, can write an error into them all the same.
    """
    message = TaskMessage(error_msg=CANCELLED, last_failed_at=int(now))
    encoded: bytes = message.SerializeToString()
    return encoded


def _message(job: Job) -> TaskMessage:
    message = TaskMessage(
        type=job.task,
        payload=job.payload,
        id=job.id,
        queue=job.queue,
        retry=job.max_retry,
        timeout=_timeout(job),
    )
    # A field that is zero takes no bytes, but setting it takes time, and new jobs have many.
    if job.deadline:
        message.deadline = int(job.deadline)
    if job.retention:
        message.retention = math.ceil(job.retention)
    if job.headers:
        message.headers.update(job.headers)
    if job.unique:
        message.unique_key = keys_of(job.queue).unique + job.unique
    if job.group:
        message.group_key = job.group
    if job.retried or job.error or job.last_failed_at:
        message.retried = job.retried
        message.error_msg = job.error
        message.last_failed_at = int(job.last_failed_at)
    if job.completed_at:
        message.completed_at = int(job.completed_at)
    return message


def _timeout(job: Job) -> int:
    return math.ceil(job.timeout) or (0 if int(job.deadline) else NO_TIMEOUT)


def _read_timeout(message: TaskMessage) -> float:
    if message.timeout >= NO_TIMEOUT:
        return 0.0
    return float(message.timeout or (0 if message.deadline else DEFAULT_TIMEOUT))


def _unique(key: str, queue: str) -> str:
    # A lock of another form is shown whole; the stored message keeps it in any case.
    return key.removeprefix(keys_of(queue).unique) if key else ""


def _utf8(text: str) -> str:
    # Lone surrogates stand for foreign bytes; Go refuses a message that holds them.
    return text.encode("utf-8", "replace").decode()


def _headers(message: TaskMessage) -> Mapping[str, str]:
    headers = message.headers
    return dict(headers) if headers else NO_HEADERS
