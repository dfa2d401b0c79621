"""Schedules as brokers keep them: what schedulers show, ticks, and what became of them."""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from atode.job import Job


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
    may_overlap: bool = True
    """Whether its job may be stored while that of the schedule's last tick which was stored, in
    the same queue, is unfinished."""


class Ticked(StrEnum):
    """What came of a tick."""

    STORED = "stored"
    """Its job is stored, and it is this caller who stored it."""
    REFUSED = "refused"
    """It is recorded, but its job was not stored: the job's id is taken, what it does is locked by
    another, or it may not overlap with an earlier job of the schedule, which is unfinished."""
    LATE = "late"
    """Nothing was done: somebody else has recorded this tick, or anybody a later one."""


class Fired(NamedTuple):
    """A job that a schedule became, and when it was stored (Unix seconds)."""

    job_id: str
    at: float


class Definition(NamedTuple):
    """What the store keeps of one schedule, in words that only the core knows."""

    id: str
    version: int
    """The revision with which it was written; never 0."""
    body: str


class Definitions(NamedTuple):
    """All that the store keeps of schedules."""

    revision: int
    """Grows with every change, also when something is removed; 0 before the first one."""
    found: Sequence[Definition]
    """By id."""


class Schedules(Protocol):
    """What schedulers need, and what shows them.

    Any number of schedulers may run the same schedules: all of them tick, and one job comes of it.
    """

    async def show(self, scheduler: str, entries: Sequence[Entry], *, lifetime: float) -> None:
        """Show what a scheduler runs for `lifetime` seconds, in place of what it showed before.

        Schedulers that run the same may share one name, so that tools which know nothing of
        that do not list each schedule many times.
        """
        ...

    async def hide(self, scheduler: str) -> None:
        """Show nothing more of a scheduler. What its schedules became stays on record."""
        ...

    async def entries(self) -> Sequence[Entry]:
        """What living schedulers run, each schedule once, those that fire next first."""
        ...

    async def tick(self, ticks: Sequence[Tick], *, worker: str) -> Sequence[Ticked]:
        """Store the jobs of ticks, PENDING or SCHEDULED, and wake waiting workers; what came of
        each tick, in the same order.

        A tick counts only if it is later than the last one that is recorded of its schedule
        in its job's queue. That is decided and written in one step, so exactly one caller gets
        STORED, however many try; so is whether a tick that may not overlap finds the last job
        of its schedule unfinished. The same call may be repeated when its answer was lost: it
        answers the same again and stores nothing twice.
        """
        ...

    async def last_ticks(
        self, queue: str, schedules: Sequence[str], *, first: float | None = None
    ) -> Sequence[float | None]:
        """The last tick of each schedule that is recorded in the queue, or None.

        With `first`, those of which nothing is recorded are recorded as having ticked then:
        what is missed from now on can be told from what was before the schedule existed.
        """
        ...

    async def fired(self, schedule: str, *, offset: int = 0, limit: int = 30) -> Sequence[Fired]:
        """The jobs that a schedule became, newest first; up to 1,000 are on record, for at
        least 400 days. Past the end the answer is empty."""
        ...


class Defines(Protocol):
    """Where schedules are defined at run time, and paused. What a definition says is the core's."""

    async def definitions(self, *, since: int | None = None) -> Definitions | None:
        """All that is stored; None if that is still what it was at the revision `since`."""
        ...

    async def define(self, schedule: str, body: str, *, version: int) -> int | None:
        """Store a definition in place of the one that has this version, 0 for there being none,
        and wake those who wait; its version. None, and no effect, if another one is there.

        A repeated call after BrokerUnavailable finds the same body stored, and answers as the
        first one did.
        """
        ...

    async def undefine(self, schedule: str, *, version: int) -> bool:
        """Remove the definition that has this version, and wake those who wait. False, and no
        effect, if another one is there, or none and it was not this call that removed it."""
        ...

    async def wait_defined(self, revision: int, *, until: float) -> None:
        """Sleep until the instant `until`, or until the definitions may have another revision than
        this one. It wakes at the instant itself, and not before it without a reason."""
        ...


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
