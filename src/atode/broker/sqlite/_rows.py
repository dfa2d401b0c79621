"""Jobs and presences, and what SQLite keeps of them."""

import json
import re
from typing import Any

from atode.job import Claim, Job, State, headers_from_json
from atode.transfer import Moved

Row = tuple[object, ...]

_STATES = {state.value: state for state in State}

# Of the columns of jobs_of.sql.
_KINDS = (
    *(str, str, str, bytes, str),
    *(float, int, int, float, float, float),
    *(str, str, float, float, bytes, str, str),
)
_HEADERS = 11

# Lone surrogates, which stand for bytes that are not UTF-8.
_FOREIGN = re.compile("[\ud800-\udfff]")


def row_of(number: int, job: Job, now: float) -> Row:
    """A new job's values, in the order of enqueue.sql."""
    return (
        number,
        number,
        job.queue,
        job.id,
        job.task,
        job.payload,
        job.state.value,
        job.due,
        job.max_retry,
        job.retried,
        job.timeout,
        job.deadline,
        job.retention,
        json.dumps(dict(job.headers)) if job.headers else "",
        job.error,
        job.last_failed_at,
        job.completed_at,
        job.result,
        job.unique,
        now if job.state in (State.PENDING, State.AGGREGATING) else 0.0,
        job.group,
    )


def settled_row_of(seq: int, after: Job, now: float) -> Row:
    """What an attempt changed in a job, in the order of settle.sql."""
    return (
        seq,
        after.state.value,
        after.due,
        after.retried,
        after.error,
        after.last_failed_at,
        after.completed_at,
        after.result,
        now if after.state is State.ARCHIVED else 0.0,
    )


def received_row_of(number: int, moved: Moved) -> Row:
    """The values of a job that comes from another store, in the order of receive.sql."""
    job, since = moved.job, moved.since
    *values, _, group = row_of(number, job, 0.0)
    return (
        *values,
        since if job.state in (State.PENDING, State.AGGREGATING) else 0.0,
        since if job.state is State.ARCHIVED else 0.0,
        group,
    )


def problem_of(row: Row) -> str:
    """What is wrong with a row of jobs_of.sql that was read as it is stored, if anything is."""
    for kind, value in zip(_KINDS, row, strict=False):
        if not isinstance(value, kind):
            return f"its stored form is broken: {value!r:.40} stands where {kind.__name__} belongs"
        if isinstance(value, str) and not value.isascii() and _FOREIGN.search(value):
            return "its stored form is broken: a text is not UTF-8"
    return headers_from_json(str(row[_HEADERS]))[1]


def job_of(row: tuple[Any, ...]) -> Job:
    """The job in a row of get.sql or jobs_of.sql."""
    (*head, state), plan, (headers, *tail, group) = row[:5], row[5:11], row[11:]
    unique_for = 0.0  # is not kept
    return Job._make(
        (*head, _STATES[state], *plan, headers_from_json(headers)[0], *tail, unique_for, group)
    )


def claims_of(found: bytes, queue: str, worker: str, lease_until: float) -> list[Claim]:
    """Claims on the jobs in an answer of ready.sql or expired.sql, first in line first.

    Jobs whose payload was too large to come with the rest have an empty one.
    """
    # What somebody else wrote may not be UTF-8; one such job must not block the others.
    rows: list[list[Any]] = json.loads(found.decode("utf-8", "replace"))
    rows.sort()
    return [_claim_of(row, queue, worker, lease_until) for row in rows]


def _claim_of(row: list[Any], queue: str, worker: str, lease_until: float) -> Claim:
    (
        _,
        seq,
        job_id,
        task,
        payload,
        due,
        max_retry,
        retried,
        timeout,
        deadline,
        retention,
        headers,
        error,
        failed,
        claims,
        unique,
        group,
    ) = row
    kept, problem = headers_from_json(headers)
    job = Job(
        job_id,
        task,
        queue,
        bytes.fromhex(payload or ""),
        State.ACTIVE,
        float(due),
        max_retry,
        retried,
        float(timeout),
        float(deadline),
        float(retention),
        kept,
        error,
        float(failed),
        unique=unique,
        group=group,
    )
    return Claim(job, worker, claims + 1, lease_until, b"%d" % seq, problem)


def seq_of(claim: Claim) -> int:
    """The row that a claim is on; 0, which no row has, if it did not come from this broker."""
    return int(claim.receipt) if claim.receipt.isdigit() else 0
