"""What the store keeps of schedules: those that are defined at run time, and whether those of
the code are paused; as text, for brokers that know nothing of it."""

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from atode.errors import AtodeError, BadOption
from atode.job import NO_HEADERS, Job, State
from atode.schedule import Definition
from atode.timetable import Schedule
from atode.timing import Timing

_JOB_FIELDS = ("task", "queue", "max_retry", "timeout", "retention", "unique", "unique_for")


@dataclass(frozen=True, slots=True)
class Body:
    """What a definition says."""

    enabled: bool
    since: float = 0.0
    """Ticks up to this instant are none."""
    timing: Timing | None = None
    """None where the schedule is defined in code."""
    job: Job | None = None
    """What its jobs are made from; `due` is a delay. None where it is defined in code."""

    @classmethod
    @lru_cache(maxsize=10_000)
    def read(cls, text: str) -> "Body":
        """From what `text` wrote; names that are unknown are of a newer program, and left out.

        Raises:
            BadOption: that is not what the text is.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            switch = cls(bool(fields["enabled"]), float(fields["since"]))
            if "cron" not in fields:
                return switch
            timing = Timing.of(fields["cron"], fields["timing"])
            return replace(switch, timing=timing, job=_job_of(fields["job"]))
        except AtodeError:
            raise
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise BadOption(f"what is stored of it cannot be read: {problem}") from None

    @property
    def text(self) -> str:
        """As it is stored."""
        fields: dict[str, Any] = {"enabled": self.enabled, "since": self.since}
        if self.timing and self.job:
            fields["cron"] = self.timing.cron.spec
            fields["timing"] = self.timing.options()
            fields["job"] = _fields_of(self.job)
        return json.dumps(fields)


class Unreadable(NamedTuple):
    """A definition that this program cannot use, and why."""

    id: str
    error: AtodeError


class Known(NamedTuple):
    """All schedules, those of the code and those in the store."""

    schedules: Sequence[Schedule]
    unreadable: Sequence[Unreadable]


def is_paused(definition: Definition) -> bool:
    """Whether it says that its schedule does not fire."""
    try:
        return not Body.read(definition.body).enabled
    except AtodeError:
        return False


def merged(coded: Iterable[Schedule], definitions: Iterable[Definition]) -> Known:
    """The schedules of the code as the store has switched them, and those of the store.

    Where both define one of the same id, the code's counts.
    """
    schedules = {schedule.id: schedule for schedule in coded}
    unreadable: list[Unreadable] = []
    for definition in definitions:
        try:
            body = Body.read(definition.body)
        except AtodeError as error:
            unreadable.append(Unreadable(definition.id, error))
            continue
        if found := schedule_of(definition, body, schedules.get(definition.id)):
            schedules[definition.id] = found
    return Known(list(schedules.values()), unreadable)


def schedule_of(
    definition: Definition, body: Body, in_code: Schedule | None = None
) -> Schedule | None:
    """The schedule that a definition makes, or makes of one in code; None if it is a switch of
    one that this program does not have."""
    schedule = in_code or _in_store(definition.id, body)
    if schedule is None:
        return None
    return replace(schedule, enabled=body.enabled, since=body.since, version=definition.version)


def _in_store(schedule: str, body: Body) -> Schedule | None:
    if not (body.timing and body.job):
        return None
    job = body.job

    def template(at: float) -> Job:
        return job._replace(due=at + job.due if job.due else 0.0)

    return Schedule(schedule, body.timing, template, in_code=False)


def _fields_of(job: Job) -> dict[str, Any]:
    return {
        **{name: getattr(job, name) for name in _JOB_FIELDS},
        "payload": base64.b64encode(job.payload).decode(),
        "headers": dict(job.headers),
        "delay": job.due,
    }


def _job_of(fields: dict[str, Any]) -> Job:
    job = Job(
        id="",
        payload=base64.b64decode(fields["payload"], validate=True),
        headers=dict(fields["headers"]) or NO_HEADERS,
        due=float(fields["delay"]),
        **{name: fields[name] for name in _JOB_FIELDS},
    )
    texts = (job.task, job.queue, job.unique, *job.headers.values())
    numbers = (job.max_retry, job.timeout, job.retention, job.unique_for)
    if not (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(number, (int, float)) for number in numbers)
    ):
        raise TypeError("a field of its job has the wrong type")
    return job._replace(state=State.PENDING)
