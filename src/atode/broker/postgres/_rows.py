"""Jobs and presences, and what PostgreSQL keeps of them."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from pydantic_core import from_json

from atode.job import Claim, Job, State, headers_from_json
from atode.outcome import Settlement, Tally
from atode.transfer import Moved

T = TypeVar("T")

MOST_FENCES = 250
"""Claims in one statement: each is searched for among the others."""

Columns = tuple[Sequence[object], ...]

_STATES: Mapping[str, State] = {state.value: state for state in State}
_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TALLIES = {Tally.SUCCESS: 1, Tally.FAILURE: -1, Tally.NOTHING: 0}

_INTEGERS = 2**31
_LAST_INSTANT = 9e12
_SURROGATES = re.compile("[\ud800-\udfff]")

# What may be a number beyond PostgreSQL's, if it is not part of a text; and what surely is.
_HIGH = re.compile(rb"[eE][+-]?\d{5}")
_LONG = re.compile(rb"\d{5000}")
_MOST_DIGITS = 5000
_MOST_EXPONENT = 4


class Key(NamedTuple):
    """Under which id a job is stored, and its name where that is another one."""

    id: str
    name: str | None


class Keys(NamedTuple):
    """The keys of several jobs; no names where none has one."""

    ids: Sequence[str]
    names: Sequence[str | None]


def key_of(job_id: str) -> Key:
    """A UUID in its usual form is stored as it is; any other id as a UUID made from it."""
    if _UUID.fullmatch(job_id):
        return Key(job_id, None)
    digits = hashlib.sha256(job_id.encode()).hexdigest()
    # Version 8 of RFC 9562: "custom".
    made = f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
    return Key(made, escaped(job_id))


def keys_of(jobs: Iterable[Job]) -> Keys:
    """What `key_of` says of each job."""
    ids = [job.id for job in jobs]
    if all(map(_UUID.fullmatch, ids)):
        return Keys(ids, [])
    keys = [key_of(job_id) for job_id in ids]
    return Keys([key.id for key in keys], [key.name for key in keys])


def id_of(stored: object, name: str | None) -> str:
    """The id that has this key."""
    if name is None:
        return str(stored)
    return unescaped(name)


def escaped(text: str) -> str:
    """A text as PostgreSQL can keep it: its texts have no NUL."""
    return text.replace("\\", "\\\\").replace("\0", "\\0")


def unescaped(text: str) -> str:
    """The text that is kept so."""
    if "\\" not in text:
        return text
    return re.sub(r"\\([\\0])", lambda found: "\\" if found[1] == "\\" else "\0", text)


def is_json(payload: bytes) -> bool:
    """Whether PostgreSQL can surely read it as JSON."""
    try:
        from_json(payload, allow_inf_nan=False)
        return b"\\u0000" not in payload and not (_looks_huge(payload) and _has_huge(payload))
    except ValueError:
        return False


def _looks_huge(payload: bytes) -> bool:
    is_long = len(payload) >= _MOST_DIGITS
    return bool(_HIGH.search(payload) or (is_long and _LONG.search(payload)))


def _has_huge(payload: bytes) -> bool:
    huge: list[str] = []

    def note(number: str) -> float:
        digits, _, exponent = number.lower().partition("e")
        if len(digits) > _MOST_DIGITS or len(exponent.lstrip("+-")) > _MOST_EXPONENT:
            huge.append(number)
        return 0.0

    json.loads(payload, parse_float=note)
    return bool(huge)


def columns_of(jobs: Sequence[Job], keys: Keys) -> Columns:
    """New jobs and their keys, in the order of enqueue.sql from its third parameter.

    Most jobs of a call differ in their id and arguments only. The driver looks at each value of
    each array several times, so that what is the same for all is sent once.
    """
    return (
        _once([job.queue for job in jobs]),
        *keys,
        _once([job.task for job in jobs]),
        [job.payload for job in jobs],
        _once([is_json(job.payload) for job in jobs]),
        _once([job.state.value for job in jobs]),
        _once([job.due if job.state is State.SCHEDULED else 0.0 for job in jobs]),
        _once([job.max_retry for job in jobs]),
        _once([job.timeout for job in jobs]),
        _once([job.deadline for job in jobs]),
        _once([job.retention for job in jobs]),
        _if_any([json.dumps(dict(job.headers)) if job.headers else None for job in jobs]),
        _if_any([job.unique or None for job in jobs]),
        _if_any([escaped(job.group) if job.group else None for job in jobs]),
        sorted({job.queue for job in jobs}),
    )


def _once(values: list[T]) -> list[T]:
    return values[:1] if values.count(values[0]) == len(values) else values


def _if_any(texts: list[str | None]) -> list[str | None]:
    return [] if texts.count(None) == len(texts) else texts


def locks_of(jobs: Sequence[Job]) -> Columns:
    """What unique jobs lock, in the order of lock.sql from its third parameter."""
    return (
        [job.queue for job in jobs],
        [job.unique for job in jobs],
        *keys_of(jobs),
        [job.due if job.state is State.SCHEDULED else 0.0 for job in jobs],
        [job.unique_for for job in jobs],
    )


def fences_of(claims: Sequence[Claim]) -> Columns:
    """What tells whether claims hold their jobs: ids, tickets, and the different workers."""
    return (
        keys_of(claim.job for claim in claims).ids,
        [ticket_of(claim) for claim in claims],
        list({claim.worker for claim in claims}),
    )


def ticket_of(claim: Claim) -> int:
    """The number that no other claim has; 0, which none has, if it came from elsewhere."""
    return int(claim.receipt) if claim.receipt.isdigit() else 0


def tallies_of(settlements: Sequence[Settlement]) -> Sequence[int]:
    """What settlements add to the counters, as numbers."""
    return [TALLIES[settlement.tally] for settlement in settlements]


def changes_of(jobs: Sequence[Job]) -> Columns:
    """What attempts changed in jobs, in the order of settle_kept.sql from its sixth parameter."""
    return (
        [job.state.value for job in jobs],
        [job.due for job in jobs],
        [job.retried for job in jobs],
        [job.error.replace("\0", "�") or None for job in jobs],
        [job.last_failed_at for job in jobs],
        [job.completed_at for job in jobs],
        [job.result or None for job in jobs],
    )


def job_of(row: Sequence[Any]) -> Job:
    """The job in a row of _job.sql."""
    job_id, name, task, queue, body, state, due, *plan = row[:12]
    headers, error, failed, completed, result, unique, group = row[12:19]
    kept = headers_from_json(headers)[0]
    ended = kept, error or "", failed or 0.0, completed or 0.0, result or b"", unique or ""
    begun = id_of(job_id, name), task, queue, body, _STATES[state], due or 0.0
    return Job._make((*begun, *plan, *ended, 0.0, unescaped(group or "")))


def problem_of(row: Sequence[Any]) -> str:
    """What is wrong with a row of _job.sql, if anything is."""
    headers = row[12]
    return headers_from_json(headers)[1]


def misfit_of(moved: Moved) -> str:
    """Why PostgreSQL cannot hold a job from another store; empty normally."""
    job = moved.job
    for name, number in (("max_retry", job.max_retry), ("retried", job.retried)):
        if not -_INTEGERS <= number < _INTEGERS:
            return f"PostgreSQL cannot hold it: {name} is {number}, beyond 32 bits"
    for instant in (job.due, job.last_failed_at, job.completed_at, moved.since):
        if not abs(instant) <= _LAST_INSTANT:
            return f"PostgreSQL cannot hold it: {instant!r} is beyond its calendar"
    if "\0" in job.task or "\0" in job.unique:
        return "PostgreSQL cannot hold it: its task or what it locks has a NUL"
    for text in (job.id, job.task, job.unique, job.error, job.group, moved.group):
        if not text.isascii() and _SURROGATES.search(text):
            return f"PostgreSQL cannot hold it: {text!r:.40} is no Unicode text"
    return ""


def received_columns_of(jobs: Sequence[Moved]) -> Columns:
    """Jobs from another store, in the order of receive.sql from its fourth parameter."""
    state, due, retried, error, failed, completed, result = changes_of(
        [moved.job for moved in jobs]
    )
    return (
        *keys_of(moved.job for moved in jobs),
        [moved.job.task for moved in jobs],
        [moved.job.payload for moved in jobs],
        [is_json(moved.job.payload) for moved in jobs],
        state,
        due,
        [moved.job.max_retry for moved in jobs],
        retried,
        [moved.job.timeout for moved in jobs],
        [moved.job.deadline for moved in jobs],
        [moved.job.retention for moved in jobs],
        [json.dumps(dict(moved.job.headers)) if moved.job.headers else None for moved in jobs],
        error,
        failed,
        completed,
        result,
        [moved.job.unique or None for moved in jobs],
        [escaped(moved.group or moved.job.group) or None for moved in jobs],
        [moved.since for moved in jobs],
    )


def claim_of(row: Sequence[Any], worker: str, lease_until: float) -> Claim:
    """The claim in a row of _claimed.sql."""
    _, job_id, name, task, queue, body, due, max_retry, retried, timeout, deadline = row[:11]
    retention, headers, error, failed, claims, unique, group, ticket, cancelled = row[11:]
    kept, problem = headers_from_json(headers)
    job = Job(
        id_of(job_id, name),
        task,
        queue,
        body,
        State.ACTIVE,
        due or 0.0,
        max_retry,
        retried,
        timeout,
        deadline,
        retention,
        kept,
        error or "",
        failed or 0.0,
        0.0,
        b"",
        unique or "",
        0.0,
        unescaped(group or ""),
    )
    return Claim(job, worker, claims, lease_until, b"%d" % ticket, problem, cancelled)
