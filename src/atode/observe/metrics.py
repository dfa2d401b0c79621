"""Events as figures of this process, in Prometheus' terms.

Counting is done here and not by the client library, whose locks per value would cost several
times as much; and jobs are counted in the batches in which they start and end. What a
Prometheus server sees of it is built when it asks.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from atode.clock import Clock
from atode.events import (
    BrokerBack,
    BrokerLost,
    ClaimLost,
    Events,
    HandlerStuck,
    JobArchived,
    JobCancelled,
    JobEnqueued,
    JobReleased,
    JobRetrying,
    JobSnoozed,
    JobStarted,
    JobSucceeded,
    ScheduleFailed,
    ServiceFailed,
    SubscriberFailed,
    WorkerStarted,
)
from atode.observe._histogram import Histogram
from atode.outcome import CRASHED
from atode.registry import Registry

UNKNOWN = "unknown"
"""Label of all jobs whose task is not registered here: anyone can store any name."""

Timed = JobSucceeded | JobRetrying | JobArchived | JobCancelled
Untimed = JobSnoozed | JobReleased | ClaimLost

_STATUSES = ("succeeded", "retried", "failed", "cancelled", "snoozed", "released", "lost")


class _Series:
    """What is counted of one task."""

    __slots__ = ("crashed", "durations", "endings", "enqueued", "lateness", "stuck")

    def __init__(self) -> None:
        self.enqueued = 0
        self.endings: dict[str, int] = dict.fromkeys(_STATUSES, 0)
        self.durations = Histogram()
        self.lateness = Histogram()
        self.crashed = 0
        self.stuck = 0


class Metrics:
    """Counts what the events of one app tell, from now on; a collector for Prometheus' client."""

    def __init__(self, events: Events, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        # Clients, workers and portals publish on their own threads.
        self._lock = threading.Lock()
        self._series: dict[str, _Series] = {}
        self._services_without_broker: set[str] = set()
        self._outages = 0
        self._errors = 0
        self.queues: set[str] = set()
        """Names of the queues that workers in this process serve."""
        self._subscribe(events)

    def collect(self) -> Iterable[Metric]:
        """The figures as they are now."""
        with self._lock:
            for name in self._registry.names():
                # Before their first job, too: a rate needs a zero to start from.
                self._of(name)
            yield from self._of_jobs()
            yield _counter("broker_outages", "Times this process lost its broker.", self._outages)
            yield _counter(
                "worker_errors",
                "Failures inside atode, or of its subscribers and middleware; see the log.",
                self._errors,
            )

    def _subscribe(self, events: Events) -> None:
        events.subscribe_batches(JobEnqueued, self._enqueued)
        events.subscribe_batches(JobStarted, self._started)
        events.subscribe_batches(JobSucceeded, self._timed("succeeded"))
        events.subscribe_batches(JobRetrying, self._crashed_or_timed("retried"))
        events.subscribe_batches(JobArchived, self._crashed_or_timed("failed"))
        events.subscribe_batches(JobCancelled, self._timed("cancelled"))
        events.subscribe_batches(JobSnoozed, self._untimed("snoozed"))
        events.subscribe_batches(JobReleased, self._untimed("released"))
        events.subscribe_batches(ClaimLost, self._untimed("lost"))
        events.subscribe(HandlerStuck, self._stuck)
        events.subscribe(BrokerLost, self._broker_lost)
        events.subscribe(BrokerBack, self._broker_back)
        events.subscribe(ServiceFailed, self._failed)
        events.subscribe(ScheduleFailed, self._failed)
        events.subscribe(SubscriberFailed, self._failed)
        events.subscribe(WorkerStarted, lambda event: self.queues.update(event.queues))

    def _of(self, task: str) -> _Series:
        found = self._series.get(task)
        if found is None:
            name = task if task in self._registry else UNKNOWN
            found = self._series.setdefault(name, _Series())
        return found

    def _enqueued(self, events: Sequence[JobEnqueued]) -> None:
        with self._lock:
            for event in events:
                self._of(event.job.task).enqueued += 1

    def _started(self, events: Sequence[JobStarted]) -> None:
        delayed = [event.job for event in events if event.job.due]
        if delayed:
            now = self._clock.now()
            with self._lock:
                for job in delayed:
                    self._of(job.task).lateness.add((now - job.due,))

    def _timed(self, status: str) -> Callable[[Sequence[Timed]], None]:
        def ended(events: Sequence[Timed]) -> None:
            by_task: dict[str, list[float]] = defaultdict(list)
            for job, _, seconds in events:
                by_task[job.task].append(seconds)
            with self._lock:
                for task, durations in by_task.items():
                    series = self._of(task)
                    series.endings[status] += len(durations)
                    series.durations.add(durations)

        return ended

    def _crashed_or_timed(
        self, status: str
    ) -> Callable[[Sequence[JobRetrying | JobArchived]], None]:
        timed = self._timed(status)

        def ended(events: Sequence[JobRetrying | JobArchived]) -> None:
            timed([event for event in events if event.job.error != CRASHED])
            # Found dead: nobody knows for how long these ran.
            with self._lock:
                for event in events:
                    if event.job.error == CRASHED:
                        series = self._of(event.job.task)
                        series.endings[status] += 1
                        series.crashed += 1

        return ended

    def _untimed(self, status: str) -> Callable[[Sequence[Untimed]], None]:
        def ended(events: Sequence[Untimed]) -> None:
            with self._lock:
                for event in events:
                    self._of(event.job.task).endings[status] += 1

        return ended

    def _stuck(self, event: HandlerStuck) -> None:
        with self._lock:
            self._of(event.job.task).stuck += 1

    def _broker_lost(self, event: BrokerLost) -> None:
        with self._lock:
            # Every service of a worker notices by itself, and tells of each try.
            self._outages += not self._services_without_broker
            self._services_without_broker.add(event.service)

    def _broker_back(self, event: BrokerBack) -> None:
        with self._lock:
            self._services_without_broker.discard(event.service)

    def _failed(self, event: ServiceFailed | ScheduleFailed | SubscriberFailed) -> None:
        with self._lock:
            self._errors += 1

    def _of_jobs(self) -> Iterable[Metric]:
        labels = ("job_type",)
        processed = CounterMetricFamily(
            "jobs_processed", "Attempts that ended, by how.", labels=("job_type", "status")
        )
        enqueued = CounterMetricFamily("jobs_enqueued", "Jobs stored.", labels=labels)
        crashed = CounterMetricFamily(
            "jobs_crashed", "Attempts whose worker died, found by this one.", labels=labels
        )
        stuck = CounterMetricFamily(
            "jobs_stuck", "Handlers that went on though they were interrupted.", labels=labels
        )
        durations = HistogramMetricFamily(
            "job_duration_seconds", "How long attempts took.", labels=labels
        )
        lateness = HistogramMetricFamily(
            "job_lateness_seconds", "From a delayed job's instant to its start.", labels=labels
        )
        for task, series in sorted(self._series.items()):
            for status, count in series.endings.items():
                processed.add_metric((task, status), count)
            enqueued.add_metric((task,), series.enqueued)
            crashed.add_metric((task,), series.crashed)
            stuck.add_metric((task,), series.stuck)
            durations.add_metric((task,), series.durations.buckets(), series.durations.total)
            lateness.add_metric((task,), series.lateness.buckets(), series.lateness.total)
        return processed, durations, lateness, enqueued, crashed, stuck


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)
