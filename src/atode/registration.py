"""What an app's code declares: tasks, batch tasks, and schedules of them."""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, Unpack, overload

from atode.batch import AsyncBatchTask, BatchDecorator, BatchTask, SyncBatchTask, checked_limits
from atode.decorator import TaskDecorator
from atode.duration import Duration, seconds
from atode.queues import checked_queue_name
from atode.registry import Registry
from atode.retry import Retry
from atode.task import AsyncTask, Defaults, Enqueuer, SyncTask, Task, returns_awaitable
from atode.timetable import Calls, CodeOptions, CronOptions, Timetable, coded, cron_decorator

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Registration:
    """The part of an app that its modules use while they are imported.

    `retry` is the policy of tasks that name none, `enqueuer` stores their calls.
    """

    def __init__(self, retry: Retry, enqueuer: Enqueuer) -> None:
        self.registry = Registry()
        self.timetable = Timetable()
        self._retry = retry
        self._enqueuer = enqueuer

    @overload
    def task(  # type: ignore[overload-overlap]
        self, name: Callable[P, Coroutine[Any, Any, R]], /
    ) -> AsyncTask[P, R]: ...

    @overload
    def task(self, name: Callable[P, R], /) -> SyncTask[P, R]: ...

    @overload
    def task(
        self,
        name: str | None = None,
        /,
        *,
        queue: str = "default",
        retry: Retry | None = None,
        timeout: Duration = 1800,
        retention: Duration | None = None,
    ) -> TaskDecorator: ...

    def task(
        self,
        name: str | Callable[..., Any] | None = None,
        /,
        *,
        queue: str = "default",
        retry: Retry | None = None,
        timeout: Duration = 1800,
        retention: Duration | None = None,
    ) -> Any:
        """Make a function one that can be run later: `@jobs.task` or `@jobs.task("name", …)`.

        `name` is what jobs are stored under and must not change while jobs are stored; it
        defaults to the function's own. `timeout` ends an attempt (0: never), `retention` is
        how long a finished job and its result are kept: an hour if the function is annotated
        to return something, else not at all.

        Raises:
            BadTask: the function cannot be a task, and why.
            DuplicateTask: the name is taken.
            BadOption: an option is out of its range.
        """
        defaults, kept = self._checked_defaults(queue, retry, timeout, retention)

        def register(function: Callable[..., Any]) -> Task[..., Any]:
            kind = AsyncTask[..., Any] if returns_awaitable(function) else SyncTask[..., Any]
            task = kind(function, _name(name, function), defaults, self._enqueuer, retention=kept)
            self.registry.add(task)
            return task

        return register(name) if callable(name) else register

    @overload
    def batch(  # type: ignore[overload-overlap]
        self, name: Callable[[list[T]], Coroutine[Any, Any, R]], /
    ) -> AsyncBatchTask[T, R]: ...

    @overload
    def batch(self, name: Callable[[list[T]], R], /) -> SyncBatchTask[T, R]: ...

    @overload
    def batch(
        self,
        name: str | None = None,
        /,
        *,
        max_size: int = 100,
        max_delay: Duration | None = 10,
        grace: Duration = 2,
        queue: str = "default",
        retry: Retry | None = None,
        timeout: Duration = 1800,
        retention: Duration | None = None,
    ) -> BatchDecorator: ...

    def batch(
        self,
        name: str | Callable[..., Any] | None = None,
        /,
        *,
        max_size: int = 100,
        max_delay: Duration | None = 10,
        grace: Duration = 2,
        queue: str = "default",
        retry: Retry | None = None,
        timeout: Duration = 1800,
        retention: Duration | None = None,
    ) -> Any:
        """Make a function that takes a list one that gets many enqueued items at once.

        Items wait until there are `max_size` of them (1 to 10,000), or the first has waited for
        `max_delay` seconds (None: however long), or nobody has joined for `grace` seconds; a
        worker then makes them one job, of 1,048,576 bytes at most. The other options are
        those of `task`, and hold for that job.

        Raises:
            BadTask: the function does not take exactly one list of annotated items.
            DuplicateTask, BadOption: as for `task`.
        """
        limits = checked_limits(max_size, max_delay, grace)
        defaults, kept = self._checked_defaults(queue, retry, timeout, retention)

        def register(function: Callable[..., Any]) -> BatchTask[Any, Any]:
            is_async = returns_awaitable(function)
            kind = AsyncBatchTask[Any, Any] if is_async else SyncBatchTask[Any, Any]
            task = kind(
                function, _name(name, function), defaults, limits, self._enqueuer, retention=kept
            )
            self.registry.add(task)
            return task

        return register(name) if callable(name) else register

    def cron(self, cron: str, /, **options: Unpack[CronOptions]) -> TaskDecorator:
        """Have a function run by itself: `@jobs.cron("0 9 * * MON", timezone="Asia/Tokyo")`.

        The function becomes a task, with the options of `task`; or it is one already. Each tick
        stores one job of it, however many workers there are. Decorate it several times for
        several schedules, and give each an `id` then.

        Raises:
            BadSchedule: the expression cannot be understood or never fires, or the time zone
                is unknown.
            DuplicateSchedule: the schedule's id is taken.
            BadTask: the function has parameters without a default; see `schedule`.
            BadOption, DuplicateTask: as for `task`; or the task has its options already.
        """
        return cron_decorator(cron, options, self.task, self.timetable)

    def schedule(self, cron: str, calls: Calls, /, **options: Unpack[CodeOptions]) -> None:
        """Have a call of a task stored by itself: `jobs.schedule("0 2 * * *", clean.call(90))`.

        Where the arguments depend on the tick, pass a function that takes it, an aware datetime
        in the schedule's time zone, and returns the call; such a schedule needs an `id`. The
        function must give the same for the same tick, as every worker asks it, and be quick.

        Raises:
            BadSchedule, DuplicateSchedule: as for `cron`.
            BadOption: an option is out of its range, or the call has one that only a single job
                can have.
        """
        self.timetable.add(coded(cron, calls, options))

    def _checked_defaults(
        self, queue: str, retry: Retry | None, timeout: Duration, retention: Duration | None
    ) -> tuple[Defaults, float | None]:
        defaults = Defaults(
            queue=checked_queue_name(queue),
            retry=retry or self._retry,
            timeout=seconds(timeout, "timeout"),
        )
        return defaults, None if retention is None else seconds(retention, "retention")


def _name(given: object, function: Callable[..., Any]) -> str:
    return given if isinstance(given, str) else getattr(function, "__name__", "")
