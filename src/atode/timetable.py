"""Schedules as one process runs them, and those that its code has defined."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from atode.decorator import TaskDecorator
from atode.duration import Duration
from atode.errors import BadOption, BadTask, DuplicateSchedule
from atode.job import Job, State, fingerprint, new_id
from atode.retry import Retry
from atode.schedule import Entry, EntryOptions, tick_id
from atode.task import AnyTask, Call, CallOptions, Task, checked_text
from atode.timing import Timing, TimingOptions

SCHEDULE_HEADER = "atode-schedule"
"""Header of a tick's job: the id of its schedule."""
TICK_HEADER = "atode-tick"
"""Header of a tick's job: its instant in ISO 8601, as the schedule's clocks show it."""

IN_CODE, IN_STORE = 'Atode("code")', 'Atode("store")'
"""What our entries say beside asynq's options, which asynq's own tools pass over."""

Calls = Call[Any] | Callable[[datetime], Call[Any]]
"""What a schedule stores: always the same call, or the one that it gets for a tick. The tick is
an aware datetime in the schedule's zone."""


class CodeOptions(TimingOptions, total=False):
    """How a schedule is defined in code."""

    id: str
    """The schedule's name, unique among all; the task's name if nothing is said."""
    enabled: bool
    """False: it is paused until somebody resumes it."""


class CronOptions(CodeOptions, total=False):
    """How a schedule is defined together with its task."""

    name: str
    """The task's name, the function's own if nothing is said; this and the following are the
    options of `Atode.task`."""
    queue: str
    retry: Retry
    timeout: Duration
    retention: Duration


@dataclass(frozen=True, slots=True)
class Schedule:
    """When jobs are stored by themselves, and which; wherever that was defined."""

    id: str
    timing: Timing
    template: Callable[[float], Job]
    """From the instant of a tick to its job; all but the job's id."""
    enabled: bool = True
    since: float = 0.0
    """Ticks up to this instant are none: it was defined, changed or resumed then."""
    in_code: bool = True
    """Whether it is defined in code, and not in the store."""
    version: int = 0
    """Of what is stored about it; 0 for nothing."""

    def is_same(self, other: "Schedule") -> bool:
        """Whether nothing has changed from the one to the other."""
        versions = self.version == other.version and self.in_code == other.in_code
        return versions and self.timing is other.timing

    def job_now(self, now: float) -> Job:
        """A job as though it fired at the instant `now`, which is no tick.

        Raises:
            Exception: as for `job`.
        """
        job = self.template(now)
        state = State.SCHEDULED if job.due else State.PENDING
        headers = {**job.headers, SCHEDULE_HEADER: self.id}
        return job._replace(id=new_id(), headers=headers, state=state)

    def job(self, at: float, now: float) -> Job:
        """The job of the tick at the instant `at`, to be stored now.

        Raises:
            Exception: whatever the function raises that is to make the call.
        """
        job = self.template(at)
        due = (job.due or at) + self.timing.delay(self.id, at)
        headers = {
            **job.headers,
            SCHEDULE_HEADER: self.id,
            TICK_HEADER: self.timing.local(at).isoformat(),
        }
        state = State.SCHEDULED if due > now else State.PENDING
        return job._replace(
            id=tick_id(self.id, at),
            headers=headers,
            state=state,
            due=due if state is State.SCHEDULED else 0.0,
        )

    def entry(self, job: Job, next: float, prev: float) -> Entry:
        """What tools show of it; `job` is that of the next tick."""
        options = EntryOptions(
            job.queue,
            job.max_retry,
            job.timeout,
            job.retention or None,
            job.unique_for or None,
            others=(IN_CODE if self.in_code else IN_STORE,),
        )
        spec = str(self.timing.cron)
        return Entry(self.id, spec, job.task, job.payload, options, next, prev)


class Timetable:
    """The schedules that the code has defined, by id."""

    def __init__(self) -> None:
        self._schedules: dict[str, Schedule] = {}

    def add(self, schedule: Schedule) -> None:
        """Make a schedule known.

        Raises:
            DuplicateSchedule: its id is taken.
        """
        if schedule.id in self._schedules:
            raise DuplicateSchedule(schedule.id)
        self._schedules[schedule.id] = schedule

    def get(self, schedule: str) -> Schedule | None:
        """The schedule of this id, or None."""
        return self._schedules.get(schedule)

    def __iter__(self) -> Iterator[Schedule]:
        return iter(self._schedules.values())


def coded(cron: str, calls: Calls, options: Mapping[str, Any]) -> Schedule:
    """A schedule in code, from an expression, what it stores, and `CodeOptions`.

    Raises:
        BadOption: an option is out of its range, or the call can be no tick's.
    """
    given = dict(options)
    schedule, enabled = given.pop("id", None), given.pop("enabled", True)
    timing = Timing.of(cron, given)
    if isinstance(calls, Call):
        always = checked_call(cast("Any", calls))
        schedule = always.task.name if schedule is None else schedule
        return Schedule(checked_text(schedule, "id"), timing, always.job, bool(enabled))
    if schedule is None:
        raise BadOption(
            f"schedule {cron!r} computes its calls, so it needs a name of its own: pass id='…'"
        )
    checked_text(schedule, "id")
    if not callable(calls):
        raise BadOption(
            f"schedule {schedule!r} is to store {calls!r:.80}; it must be a call, task.call(…), or "
            "a function that takes the tick and returns one"
        )

    def template(at: float) -> Job:
        made = calls(timing.local(at))
        if not isinstance(made, Call):
            raise BadOption(
                f"the function of schedule {schedule!r} returned {made!r:.80}; it must return a "
                "call, task.call(…)"
            )
        return checked_call(made, computed=True).job(at)

    return Schedule(schedule, timing, template, bool(enabled))


def cron_decorator(
    cron: str,
    options: Mapping[str, Any],
    make_task: Callable[..., TaskDecorator],
    timetable: Timetable,
) -> TaskDecorator:
    """What `Atode.cron` gives; `make_task` is `Atode.task`."""
    given = dict(options)
    of_task = {name: given.pop(name) for name in _TASK_OPTIONS & given.keys()}
    # Now, and not only when the function is there, so that the traceback shows this line.
    coded(cron, _no_call, {"id": "-", **given})

    def task_of(function: Any) -> Task[..., Any]:
        if not isinstance(function, AnyTask):
            name = of_task.pop("name", None)
            return cast("Task[..., Any]", make_task(name, **of_task)(function))
        if not isinstance(function, Task):
            raise BadTask(f"{function!r} is a batch task; schedule one that enqueues its items")
        if of_task:
            raise BadOption(
                f"{', '.join(sorted(of_task))}: {function!r} has its options already; give them to "
                "the decorator that makes it a task"
            )
        return cast("Task[..., Any]", function)

    def register(function: Callable[..., Any]) -> Task[..., Any]:
        task = task_of(function)
        timetable.add(coded(cron, _bare_calls(task), {"id": task.name, **given}))
        return task

    return cast(TaskDecorator, register)


def _no_call(_: datetime) -> Call[Any]:
    raise NotImplementedError


def _bare_calls(task: Task[..., Any]) -> Callable[[datetime], Call[Any]]:
    """Calls of a task without arguments.

    Raises:
        BadTask: it needs some.
    """
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    for parameter in inspect.signature(task.function).parameters.values():
        if parameter.default is inspect.Parameter.empty and parameter.kind not in kinds:
            raise BadTask(
                f"task {task.name!r} cannot be scheduled as it is, for its parameter "
                f"{parameter.name!r} has no default; use @jobs.task, and schedule a call of it: "
                f"jobs.schedule('…', {task.name}.call(…))"
            )
    return lambda _: task.call()


def schedule_shown(entry: Entry) -> Schedule | None:
    """The schedule of another program's code that a living worker shows; None if that is not what
    the entry is of. What becomes of its ticks is known to that worker only."""
    try:
        timing = Timing.of(entry.spec, {})
    except BadOption:
        return None
    if IN_CODE not in entry.options.others:
        return None
    given = entry.options
    job = Job(
        "",
        entry.task,
        given.queue,
        entry.payload,
        max_retry=given.max_retry or 0,
        timeout=given.timeout or 0.0,
        retention=given.retention or 0.0,
        unique=fingerprint(entry.task, entry.payload) if given.unique_for else "",
        unique_for=given.unique_for or 0.0,
    )
    return Schedule(entry.id, timing, lambda _: job)


def checked_call(call: Call[Any], *, computed: bool = False) -> Call[Any]:
    """The call, if a tick can store it; one that is computed for its tick may name instants.

    Raises:
        BadOption: it has an option that no tick's call can have, or is an item of a batch.
    """
    never = ("id", "transaction") if computed else ("id", "transaction", "at", "deadline")
    for option in never:
        if option in (call.options or CallOptions()):
            raise BadOption(
                f"a schedule's call of task {call.task.name!r} has the option {option!r}, "
                f"{_REASONS[option]}"
            )
    if call.group:
        raise BadOption(
            f"task {call.task.name!r} is a batch task, whose items no schedule can store; schedule "
            "a task that enqueues them"
        )
    return call


_TASK_OPTIONS = CronOptions.__annotations__.keys() - CodeOptions.__annotations__.keys()

_INSTANT = (
    "an instant, which passes; use delay or timeout, or a function that takes the tick and "
    "returns the call"
)
_REASONS = {
    "id": "but the ids of its jobs are made of schedule and tick; leave it out",
    "transaction": "but workers store its jobs; leave it out",
    "at": _INSTANT,
    "deadline": _INSTANT,
}
