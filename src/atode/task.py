"""Tasks: functions that can be run later, and calls of them that are not stored yet."""

import inspect
from collections.abc import Callable, Coroutine, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, ParamSpec, Protocol, TypedDict, TypeVar, Unpack, cast

from atode.codec import Arguments, Result
from atode.duration import TEN_YEARS, Duration, seconds
from atode.errors import BadOption, BadTask
from atode.handle import JobHandle
from atode.job import Job, State, fingerprint, new_id
from atode.queues import checked_queue_name
from atode.retry import Retry, checked_retries

P = ParamSpec("P")
R = TypeVar("R", covariant=True)

LONGEST_NAME = 200


class PlaceOptions(TypedDict, total=False):
    """Where and when one call is stored, and as what; for tasks of every kind."""

    delay: Duration
    """Run this long after now: 0 to 10 years."""
    at: datetime
    """Run at this instant instead; it must know its time zone. The past means now."""
    queue: str
    unique_for: Duration
    """Refuse other calls of this task with the same arguments in the same queue until this job
    has succeeded, but for no longer than this after it may run: 1 second to 10 years."""
    id: str
    """The job's id instead of a new UUID; storing a second one is refused."""
    transaction: object
    """Store it in the transaction that is open on this connection, so that the job is there if
    and when that commits: asyncpg, psycopg, SQLAlchemy or Django on the app's PostgreSQL,
    sqlite3 on its SQLite file."""
    headers: Mapping[str, str]
    """Small texts that travel with the job, such as a trace id."""


class CallOptions(PlaceOptions, total=False):
    """How one call is stored. Options never mix with the task's arguments."""

    max_retry: int
    """Retries after the first attempt; 0 for none."""
    timeout: Duration
    """Longest run of one attempt; 0 for none."""
    deadline: datetime
    """No attempt goes on after this instant; it must know its time zone."""
    retention: Duration
    """How long the job and its result are kept after success; 0 deletes at once."""


_STANDARD = Retry()


@dataclass(frozen=True, slots=True)
class Defaults:
    """How calls of a task are stored when the call itself does not say."""

    queue: str = "default"
    retry: Retry = _STANDARD
    timeout: float = 1800.0
    retention: float = 0.0


class Enqueuer(Protocol):
    """Who stores calls; the app fills it in, so that a task knows no client."""

    async def enqueue(self, call: "Call[R]") -> JobHandle[R]: ...

    def enqueue_sync(self, call: "Call[R]") -> JobHandle[R]: ...


# A tuple for the reason that makes Job one.
class Call(NamedTuple, Generic[R]):
    """A call of a task with checked and encoded arguments, not stored yet."""

    task: "AnyTask[..., R]"
    payload: bytes
    options: CallOptions
    group: str = ""
    """The group that the job joins, if it is one item of a batch."""

    @property
    def transaction(self) -> object | None:
        """The caller's connection in whose transaction it is to be stored, if there is one."""
        return self.options.get("transaction") if self.options else None

    def job(self, now: float) -> Job:
        """The job that this call is, if it is stored at the instant `now`.

        Raises:
            BadOption: an option is out of its range.
        """
        task, payload, options, group = self
        defaults = task.defaults
        # By position: this runs for every job that is stored.
        job = Job(
            new_id(),
            task.name,
            defaults.queue,
            payload,
            State.PENDING,
            0.0,
            defaults.retry.times,
            0,
            defaults.timeout,
            0.0,
            defaults.retention,
        )
        return job._replace(**self._changes(now)) if options or group else job

    def _changes(self, now: float) -> Mapping[str, Any]:
        # What the options change in the job as the task's defaults make it.
        options = self.options
        changes: dict[str, Any] = {}
        if "id" in options:
            changes["id"] = checked_text(options["id"], "id")
        if "queue" in options:
            changes["queue"] = checked_queue_name(options["queue"])
        if self.group:
            changes.update(state=State.AGGREGATING, group=self.group)
        if due := self._due(now):
            changes.update(state=State.SCHEDULED, due=due)
        if "max_retry" in options:
            changes["max_retry"] = checked_retries(options["max_retry"])
        if (timeout := options.get("timeout")) is not None:
            changes["timeout"] = seconds(timeout, "timeout")
        if (retention := options.get("retention")) is not None:
            changes["retention"] = seconds(retention, "retention")
        if (deadline := options.get("deadline")) is not None:
            changes["deadline"] = _checked_deadline(deadline)
        if (unique_for := options.get("unique_for")) is not None:
            changes["unique"] = fingerprint(self.task.name, self.payload)
            changes["unique_for"] = seconds(unique_for, "unique_for", at_least=1)
        if "headers" in options:
            changes["headers"] = _checked_headers(options["headers"])
        return changes

    def _due(self, now: float) -> float:
        delay, at = self.options.get("delay"), self.options.get("at")
        if delay is not None and at is not None:
            raise BadOption(f"delay ({delay!r}) and at ({at!r}) exclude each other; give one")
        if delay is not None:
            pause = seconds(delay, "delay")
            return now + pause if pause else 0.0
        if at is None:
            return 0.0
        due = _instant(at, "at")
        if due - now > TEN_YEARS:
            raise BadOption(f"at is {at.isoformat()}; it must be within ten years from now")
        return due if due > now else 0.0


class Storable(Generic[P, R]):
    """What makes calls and has them stored: a task, or a task with options."""

    @property
    def enqueuer(self) -> Enqueuer:
        """Who stores the calls."""
        raise NotImplementedError

    def call(self, *args: P.args, **kwargs: P.kwargs) -> Call[R]:
        """A call to store later, for example many at once with `enqueue_many`.

        Raises:
            BadArguments: the arguments do not fit the task's parameters.
            PayloadTooLarge: encoded they take more than 1,048,576 bytes.
        """
        raise NotImplementedError

    async def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> JobHandle[R]:
        """Store a call; it is safe once this returns. Overlapping calls share a round trip.

        Raises:
            BadArguments, PayloadTooLarge: as for `call`; nothing was stored.
            BadOption: an option is out of its range; nothing was stored.
            DuplicateJob: the queue holds a job with this `id` already.
            BrokerUnavailable: the store cannot be reached now.
        """
        return await self.enqueuer.enqueue(self.call(*args, **kwargs))

    def enqueue_sync(self, *args: P.args, **kwargs: P.kwargs) -> JobHandle[R]:
        """`enqueue` for code without an event loop: Django, Flask, a script.

        It may be called on any thread, and blocks it until the job is stored.
        """
        return self.enqueuer.enqueue_sync(self.call(*args, **kwargs))


class AnyTask(Storable[P, R]):
    """What tasks of every kind are: a function registered under a name."""

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        defaults: Defaults,
        enqueuer: Enqueuer | None = None,
        *,
        retention: float | None = None,
    ) -> None:
        if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            raise BadTask(
                f"Task name {name[:80]!r} must have 1 to {LONGEST_NAME} printable characters"
            )
        self.name = name
        self.function = function
        self.is_async = returns_awaitable(function)
        self.arguments = Arguments(function, name)
        self.result = Result(function, name)
        self._defaults = defaults if retention is None else replace(defaults, retention=retention)
        self._retention = retention
        self._enqueuer = enqueuer

    @property
    def defaults(self) -> Defaults:
        """What holds for calls that do not say otherwise."""
        if self._retention is None:
            # Read off the return annotation, which may name a class that is defined only
            # after the function: hence now and not in the constructor.
            self._retention = _RESULT_KEPT if self.result.is_worth_keeping else 0.0
            self._defaults = replace(self._defaults, retention=self._retention)
        return self._defaults

    @property
    def enqueuer(self) -> Enqueuer:
        """Who stores calls of this task."""
        if self._enqueuer is None:
            raise BadTask(f"Task {self.name!r} belongs to no app, so its calls cannot be stored")
        return self._enqueuer

    def decode(self, job: Job) -> dict[str, Any]:
        """The function's keyword arguments in a stored job.

        Raises:
            BadPayload: its payload does not fit the parameters.
        """
        return self.arguments.decode(job.payload)

    def check(self) -> None:
        """Resolve the annotations now; BadTask says which of them has no JSON form."""
        self.arguments.check()
        self.result.check()

    def __repr__(self) -> str:
        return f"<task {self.name!r}>"


class BoundTask(Storable[P, R]):
    """A task with options for the calls to come, from `task.options(…)`."""

    def __init__(self, task: "Task[P, R]", options: CallOptions) -> None:
        self._task = task
        self._options = options

    @property
    def enqueuer(self) -> Enqueuer:
        return self._task.enqueuer

    def call(self, *args: P.args, **kwargs: P.kwargs) -> Call[R]:
        """A call to store later; see `Storable.call`."""
        task = cast("Task[..., R]", self._task)
        return Call(task, task.arguments.encode(args, kwargs), self._options)


class Task(AnyTask[P, R]):
    """A function registered under a name; make one with `@jobs.task`."""

    def options(self, **options: Unpack[CallOptions]) -> BoundTask[P, R]:
        """The same task with options for its next call: `task.options(delay=60).enqueue(1)`.

        Raises:
            BadOption: there is no option of that name.
        """
        refuse_unknown(options.keys(), CallOptions)
        return BoundTask(self, options)

    def call(self, *args: P.args, **kwargs: P.kwargs) -> Call[R]:
        """A call to store later; see `Storable.call`."""
        task = cast("Task[..., R]", self)
        return Call(task, self.arguments.encode(args, kwargs), NO_OPTIONS)


class AsyncTask(Task[P, R]):
    """A task whose function is a coroutine function; a plain call gives the coroutine."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        return cast("Coroutine[Any, Any, R]", self.function(*args, **kwargs))


class SyncTask(Task[P, R]):
    """A task whose function is an ordinary one; workers run it in a thread."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return cast(R, self.function(*args, **kwargs))


NO_OPTIONS = cast(CallOptions, MappingProxyType({}))
_RESULT_KEPT = 3600.0


def refuse_unknown(given: Set[str], options: type[Any]) -> None:
    """Let pass names of `options`, a TypedDict.

    Raises:
        BadOption: one of the names is not among them; the text has those that are.
    """
    names = options.__annotations__.keys()
    if unknown := given - names:
        known = ", ".join(sorted(names))
        raise BadOption(f"no such option: {', '.join(sorted(unknown))}; there are {known}")


def returns_awaitable(function: Callable[..., Any]) -> bool:
    """Whether a task of this function runs on the event loop instead of in a thread.

    Raises:
        BadTask: it is a generator function, which is neither.
    """
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        raise BadTask(f"{function!r} is a generator function; a task returns once, or awaits")
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an instance with an async __call__
    )


def _instant(moment: datetime, name: str) -> float:
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise BadOption(
            f"{name} is {moment!r}; it must be a datetime with a time zone, "
            "such as datetime.now(UTC) + timedelta(hours=1)"
        )
    return moment.timestamp()


def _checked_deadline(moment: datetime) -> float:
    instant = _instant(moment, "deadline")
    if instant <= 0:
        # Stored as 0 it would mean that there is none.
        raise BadOption(f"deadline is {moment.isoformat()}; it must be after 1970-01-01")
    return instant


def checked_text(text: str, name: str) -> str:
    """The text, if a job or a group can be named so.

    Raises:
        BadOption: it is no text, blank, longer than 200 characters, or has no UTF-8 form.
    """
    if not isinstance(text, str) or not text.strip() or len(text) > 200:
        raise BadOption(f"{name} is {text!r:.80}; it must be a text of 1 to 200 characters")
    return _utf8(text, name)


def _checked_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    if not isinstance(headers, Mapping):
        raise BadOption(f"headers is {headers!r:.80}; it must be a mapping of texts to texts")
    for key, value in headers.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise BadOption(f"header {key!r} is {value!r}; keys and values must be texts")
        _utf8(key + value, f"header {key!r}")
    return dict(headers)


def _utf8(text: str, what: str) -> str:
    # Such a text would stop every Go worker on the queue (protocol, trap 4).
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BadOption(f"{what} holds a lone surrogate, which has no UTF-8 form")
    return text
