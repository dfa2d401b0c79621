"""Schedules as brokers keep them: what schedulers show, ticks, and what became of them."""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from atode.job import Job

HISTORY_SIZE = 1000
"""Jobs of a schedule that are on record, the latest."""
HISTORY_AGE = 400 * 86_400
"""Seconds for which they are: long enough for schedules that fire once a year."""


class EntryOptions(NamedTuple):
    """How the jobs of a schedule are stored; durations in seconds. None: it does not say, and
    the default of the program that runs the schedule holds."""

    queue: str = "default"
    max_retry: int | None = None
    timeout: float | None = None
    retention: float | None = None
    unique_for: float | None = None
    others: tuple[str, ...] = ()
    """Whatever else a Go program has set, in asynq's words: `Deadline(…)`, `Group("g")`."""


class Entry(NamedTuple):
    """A schedule that a living scheduler runs, as it shows it. Instants are Unix seconds."""

    id: str
    spec: str
    """When it fires: `0 9 * * MON`, `@every 30s`."""
    task: str
    payload: bytes = b""
    options: EntryOptions = EntryOptions()
    next: float = 0.0
    """When it fires next; 0 for never."""
    prev: float = 0.0
    """When it fired last; 0 for never."""


class Tick(NamedTuple):
    """One instant at which a schedule fires, and the job that it is to become."""

    schedule: str
    at: float
    job: Job


class Ticked(StrEnum):
    """What came of a tick."""

    STORED = "stored"
    """Its job is stored, and it is this caller who stored it."""
    REFUSED = "refused"
    """It is recorded, but its job was not stored: the job's id is taken, or what it does is locked
    by another. An earlier job of the schedule is still there, for example."""
    LATE = "late"
    """Nothing was done: somebody else has recorded this tick, or anybody a later one."""


class Fired(NamedTuple):
    """A job that a schedule became, and when it was stored (Unix seconds)."""

    job_id: str
    at: float


def tick_id(schedule: str, at: float) -> str:
    """The id of the job for this tick: the same wherever and whenever it is asked for.

    A UUID of version 8 (RFC 9562) that starts with the instant, so later ticks sort later. Should
    the record of a tick get lost, its job's id is still taken while the job is stored.
    """
    instant = f"{round(at * 1000):012x}"[-12:]
    noise = hashlib.sha256(f"{float(at)!r} {schedule}".encode("utf-8", "surrogatepass")).hexdigest()
    variant = "89ab"[int(noise[0], 16) >> 2]
    return f"{instant[:8]}-{instant[8:]}-8{noise[1:4]}-{variant}{noise[4:7]}-{noise[7:19]}"


def distinct(entries: Iterable[Entry]) -> list[Entry]:
    """Each schedule once, however many schedulers show it, in the order in which they fire next.

    Of several, the one that has fired last counts.
    """
    found: dict[str, Entry] = {}
    for entry in entries:
        known = found.setdefault(entry.id, entry)
        if entry.prev > known.prev:
            found[entry.id] = entry
    return sorted(found.values(), key=lambda entry: (not entry.next, entry.next, entry.id))


def entries_to_json(entries: Sequence[Entry]) -> str:
    """Entries as stores without a format of their own keep them."""
    return json.dumps(
        [
            {
                **entry._asdict(),
                "payload": base64.b64encode(entry.payload).decode(),
                "options": entry.options._asdict(),
            }
            for entry in entries
        ]
    )


def entries_from_json(text: str) -> list[Entry]:
    """The entries in what `entries_to_json` made."""
    return [_entry_of(fields) for fields in json.loads(text)]


def _entry_of(fields: dict[str, Any]) -> Entry:
    payload = base64.b64decode(fields.pop("payload"))
    given: dict[str, Any] = fields.pop("options")
    others = tuple(given.pop("others"))
    return Entry(**fields, payload=payload, options=EntryOptions(**given, others=others))
