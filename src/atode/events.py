"""What happens, as frozen values; who wants to know subscribes.

The core publishes and never logs: logs and metrics are subscribers. What has to surround an
enqueue or an attempt, as traces do, is middleware.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from atode.job import Job
from atode.middleware import Layers


class JobEnqueued(NamedTuple):
    """A client, or a worker's scheduler, stored a job."""

    job: Job


class JobStarted(NamedTuple):
    """A worker began an attempt."""

    job: Job
    worker: str


class JobSucceeded(NamedTuple):
    """An attempt returned, and its success is stored."""

    job: Job
    worker: str
    seconds: float


class JobRetrying(NamedTuple):
    """An attempt failed; the job will run again at `job.due`."""

    job: Job
    worker: str
    seconds: float


class JobArchived(NamedTuple):
    """An attempt failed for good: no retries left, or the error was permanent."""

    job: Job
    worker: str
    seconds: float


class JobCancelled(NamedTuple):
    """A job was archived because somebody cancelled it; nothing was counted."""

    job: Job
    worker: str
    seconds: float


class JobSnoozed(NamedTuple):
    """A handler asked to run again at `job.due`; nothing was counted."""

    job: Job
    worker: str


class JobReleased(NamedTuple):
    """A stopping worker handed the job back; nothing was counted."""

    job: Job
    worker: str


class BatchMade(NamedTuple):
    """A worker made a batch, `job`, of the first `items` members of a group."""

    job: Job
    group: str
    items: int


class TickSkipped(NamedTuple):
    """A tick (Unix seconds) of a schedule became no job: an earlier job of the schedule is
    unfinished, and they may not overlap; or one that does the same is in the way."""

    schedule: str
    at: float


class ScheduleFailed(NamedTuple):
    """A schedule's definition cannot be read, or the function that makes its calls raised. Its
    tick becomes no job here; the other schedules go on."""

    schedule: str
    error: Exception


class ClaimLost(NamedTuple):
    """A job is no longer ours: its lease ran out, or someone deleted it. What its handler
    still does is not recorded."""

    job: Job
    worker: str


class EndingIgnored(NamedTuple):
    """The transaction in which a handler completed its job was committed, so that how the
    handler itself ended does not count: `ending` says how."""

    job: Job
    worker: str
    ending: str


class TransactionLeftOpen(NamedTuple):
    """A handler has ended, and the transaction in which it completed its job has not, for
    `seconds` now. The job stays active until then."""

    job: Job
    worker: str
    seconds: float


class HandlerStuck(NamedTuple):
    """A handler goes on though it was interrupted: a thread, which cannot be stopped, or a
    coroutine that ignores its cancellation. Its slot stays busy until it returns."""

    job: Job
    worker: str


class BrokerLost(NamedTuple):
    """The broker cannot be reached by a service, or refuses it; it tries again after `pause` s."""

    service: str
    error: str
    pause: float


class BrokerBack(NamedTuple):
    """The broker answers again after `seconds`."""

    service: str
    seconds: float


class ServiceFailed(NamedTuple):
    """A bug inside a service, or one settlement that cannot be written; the service goes on."""

    service: str
    error: BaseException


class SubscriberFailed(NamedTuple):
    """A subscriber raised while it heard `event`. The others, and the publisher, go on."""

    event: "Event"
    error: Exception


class WorkerStarted(NamedTuple):
    """A worker serves its queues."""

    worker: str
    queues: tuple[str, ...]
    concurrency: int
    tasks: tuple[str, ...]


class WorkerResized(NamedTuple):
    """A worker runs `concurrency` jobs at the same time from now on, and not `before`."""

    worker: str
    before: int
    concurrency: int


class WorkerStopping(NamedTuple):
    """A worker claims nothing more; `running` jobs may still finish."""

    worker: str
    running: int


class WorkerStopped(NamedTuple):
    """A worker is done; `released` jobs were handed back."""

    worker: str
    released: int


Event = (
    JobEnqueued
    | JobStarted
    | JobSucceeded
    | JobRetrying
    | JobArchived
    | JobCancelled
    | JobSnoozed
    | JobReleased
    | BatchMade
    | TickSkipped
    | ScheduleFailed
    | ClaimLost
    | EndingIgnored
    | TransactionLeftOpen
    | HandlerStuck
    | BrokerLost
    | BrokerBack
    | ServiceFailed
    | SubscriberFailed
    | WorkerStarted
    | WorkerResized
    | WorkerStopping
    | WorkerStopped
)

E = TypeVar("E", bound=Event)


class Events:
    """Subscribers by event type. Callbacks run at once, on the publisher's thread; be quick."""

    def __init__(self) -> None:
        self._subscribers: dict[type[Any], list[Callable[[Sequence[Any]], None]]] = {}
        self.layers = Layers()
        """The app's middleware."""

    def subscribe(self, kind: type[E], callback: Callable[[E], None]) -> None:
        """Call `callback` with every event of exactly this type."""

        def each(events: Sequence[E]) -> None:
            for event in events:
                try:
                    callback(event)
                except Exception as error:
                    self._failed(event, error)

        self._subscribers.setdefault(kind, []).append(each)

    def subscribe_batches(self, kind: type[E], callback: Callable[[Sequence[E]], None]) -> None:
        """Call `callback` with events of exactly this type, as many at once as happened at once.

        Cheaper than `subscribe` where there are tens of thousands of them per second.
        """

        def together(events: Sequence[E]) -> None:
            try:
                callback(events)
            except Exception as error:
                self._failed(events[0], error)

        self._subscribers.setdefault(kind, []).append(together)

    def wanted(self, kind: type[Event]) -> bool:
        """Whether anyone would hear such an event; ask before building one per job."""
        return kind in self._subscribers

    def publish(self, event: Event) -> None:
        """Tell every subscriber of the event's type. One that raises disturbs nobody."""
        self.publish_all((event,))

    def publish_all(self, events: Sequence[Event]) -> None:
        """Tell every subscriber of these events, which are all of one type."""
        if events:
            for tell in self._subscribers.get(type(events[0]), ()):
                tell(events)

    def _failed(self, event: Event, error: Exception) -> None:
        # Of a failure to hear about failures there is nobody left to tell.
        if not isinstance(event, SubscriberFailed):
            self.publish(SubscriberFailed(event, error))
