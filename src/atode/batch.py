"""Batch tasks: their calls wait for each other, and a worker runs many of them as one job."""

import inspect
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import (
    Annotated,
    Any,
    Generic,
    Protocol,
    TypeVar,
    Unpack,
    cast,
    get_args,
    get_origin,
    overload,
)

from pydantic_core import from_json

from atode.codec import LARGEST_PAYLOAD, Arguments
from atode.duration import Duration, seconds
from atode.errors import BadOption, BadPayload, BadTask
from atode.group import Limits
from atode.job import Job
from atode.task import (
    NO_OPTIONS,
    AnyTask,
    Call,
    CallOptions,
    Defaults,
    Enqueuer,
    PlaceOptions,
    Storable,
    checked_text,
    refuse_unknown,
)

T = TypeVar("T")
R = TypeVar("R", covariant=True)

LARGEST_BATCH = 10_000


class BatchOptions(PlaceOptions, total=False):
    """How one item is stored."""

    key: str
    """Items with the same key make a batch of their own: 1 to 200 characters."""


class BoundBatch(Storable[[T], None]):
    """A batch task with options for the items to come, from `task.options(…)`."""

    def __init__(self, task: "BatchTask[T, Any]", key: str, options: CallOptions) -> None:
        self._task = task
        self._key = key
        self._options = options

    @property
    def enqueuer(self) -> Enqueuer:
        return self._task.enqueuer

    def call(self, item: T, /) -> Call[None]:
        """One item to store later; see `Storable.call`."""
        return self._task.called(item, self._key, self._options)


class BatchTask(AnyTask[[T], None], Generic[T, R]):
    """A function that takes many items at once; make one with `@jobs.batch`.

    Each `enqueue` stores one item. Items wait in a group until a worker makes a batch of them,
    an ordinary job of this task with the task's options. Then they are gone: an item has no
    result of its own.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        defaults: Defaults,
        limits: Limits,
        enqueuer: Enqueuer | None = None,
        *,
        retention: float | None = None,
    ) -> None:
        super().__init__(function, name, defaults, enqueuer, retention=retention)
        self.limits = limits
        self._items = Items(function, name, self.arguments)

    def options(self, **options: Unpack[BatchOptions]) -> BoundBatch[T]:
        """The same task with options for its next item: `task.options(key="user:7").enqueue(x)`.

        Raises:
            BadOption: there is no option of that name, or the key is out of its range.
        """
        refuse_unknown(options.keys(), BatchOptions)
        key = checked_text(options["key"], "key") if "key" in options else ""
        others = {name: value for name, value in options.items() if name != "key"}
        return BoundBatch(self, key, cast(CallOptions, others))

    def call(self, item: T, /) -> Call[None]:
        """One item to store later; see `Storable.call`."""
        return self.called(item, "", NO_OPTIONS)

    def called(self, item: T, key: str, options: CallOptions) -> Call[None]:
        """One item with its key ('' for none) and options."""
        group = f"{self.name}:{key}" if key else self.name
        return Call(self, self._items.encode(item), options, group)

    def decode(self, job: Job) -> dict[str, Any]:
        """The function's argument: a batch's items, or a list of one for a member that runs alone.

        Raises:
            BadPayload: the payload does not fit the parameter.
        """
        if job.group:
            return self._items.decode([job.payload])
        return self.arguments.decode(job.payload)

    def fits(self, payloads: Sequence[bytes]) -> bool:
        """Whether each of these is an item that the function takes."""
        try:
            self._items.decode(payloads)
        except BadPayload:
            return False
        return True

    def room(self, payloads: Sequence[bytes]) -> int:
        """How many of these items, the first ones, fit into one batch; 0 if the first is larger
        than any payload may be."""
        return self._items.room(payloads[: self.limits.max_size])

    def batch_of(self, payloads: Sequence[bytes], queue: str, now: float) -> Job:
        """The job that these items become at the instant `now`."""
        options: CallOptions = {"queue": queue}
        return Call(self, self._items.joined(payloads), options).job(now)

    def check(self) -> None:
        """Resolve the annotations now; BadTask says which of them has no JSON form."""
        self._items.check()
        super().check()


class AsyncBatchTask(BatchTask[T, R]):
    """A batch task whose function is a coroutine function; a plain call gives the coroutine."""

    def __call__(self, items: Sequence[T], /) -> Coroutine[Any, Any, R]:
        return cast("Coroutine[Any, Any, R]", self.function(items))


class SyncBatchTask(BatchTask[T, R]):
    """A batch task whose function is an ordinary one; workers run it in a thread."""

    def __call__(self, items: Sequence[T], /) -> R:
        return cast(R, self.function(items))


class BatchDecorator(Protocol):
    """What `@jobs.batch(…)` does to a function."""

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, function: Callable[[list[T]], Coroutine[Any, Any, R]], /
    ) -> AsyncBatchTask[T, R]: ...

    @overload
    def __call__(self, function: Callable[[list[T]], R], /) -> SyncBatchTask[T, R]: ...


class Items:
    """How the items of one function travel: each as JSON of its own, and together as the one
    argument that the function has.

    Raises:
        BadTask: the function takes something else than one list.
    """

    def __init__(self, function: Callable[..., Any], name: str, arguments: Arguments) -> None:
        self._task = name
        self._arguments = arguments
        parameters = list(inspect.signature(function).parameters.values())
        if len(parameters) != 1 or parameters[0].kind is not _ORDINARY:
            self._refuse(f"takes {inspect.signature(function)}")
        self._parameter = parameters[0].name
        written = parameters[0].annotation
        self._is_checked = not isinstance(written, str)
        if self._is_checked:
            self._check_list(written)
        self._before = b"{%s:[" % json.dumps(self._parameter, ensure_ascii=False).encode()
        self._after = b"]}"

    def encode(self, item: object) -> bytes:
        """One item as JSON; errors as for `Arguments.encode`, and BadTask as for `check`."""
        self.check()
        whole = self._arguments.encode(([item],), {})
        return whole[len(self._before) : -len(self._after)]

    def decode(self, payloads: Sequence[bytes]) -> dict[str, Any]:
        """The function's keyword argument.

        Raises:
            BadPayload: one of the payloads is not an item.
        """
        for payload in payloads:
            # Each by itself: between others, `1,2` would look like two items.
            try:
                from_json(payload)
            except ValueError as error:
                raise BadPayload(f"Task {self._task!r}: an item is not JSON: {error}") from None
        return self._arguments.decode(self.joined(payloads))

    def joined(self, payloads: Sequence[bytes]) -> bytes:
        """The payload of a batch of these items."""
        return self._before + b",".join(payloads) + self._after

    def room(self, payloads: Sequence[bytes]) -> int:
        """How many of these items, the first ones, fit into one payload."""
        left = LARGEST_PAYLOAD - len(self._before) - len(self._after)
        for number, payload in enumerate(payloads):
            left -= len(payload)
            if left < 0:
                return number
            left -= len(b",")
        return len(payloads)

    def check(self) -> None:
        """See that the parameter is a list, whose annotation may have been a text so far.

        Raises:
            BadTask: it is not, or cannot be resolved.
        """
        if not self._is_checked:
            self._check_list(self._arguments.kind_of(self._parameter))
            self._is_checked = True

    def _check_list(self, annotation: Any) -> None:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        if get_origin(annotation) not in _LISTS:
            shown = "nothing" if annotation is inspect.Parameter.empty else repr(annotation)
            self._refuse(f"annotates {self._parameter!r} with {shown}")

    def _refuse(self, what: str) -> None:
        raise BadTask(
            f"Batch task {self._task!r} {what}; it must take exactly one parameter, the list of "
            "its items, annotated with what they are: def digest(items: list[Notification])"
        )


_ORDINARY = inspect.Parameter.POSITIONAL_OR_KEYWORD
_LISTS = (list, Sequence)


def checked_limits(max_size: int, max_delay: Duration | None, grace: Duration) -> Limits:
    """When items become a batch.

    Raises:
        BadOption: one of them is out of its range.
    """
    if isinstance(max_size, bool) or not isinstance(max_size, int):
        raise BadOption(f"max_size is {max_size!r}; it must be a number of items")
    if not 1 <= max_size <= LARGEST_BATCH:
        raise BadOption(f"max_size is {max_size:,}; it must be from 1 to {LARGEST_BATCH:,} items")
    return Limits(
        max_size,
        None if max_delay is None else seconds(max_delay, "max_delay"),
        seconds(grace, "grace"),
    )
