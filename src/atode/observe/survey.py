"""What the store tells of all its queues and workers, in Prometheus' terms.

Every process that is scraped tells the same, so these figures are to be compared or taken by
`max`, never added up.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from atode.broker.protocol import Inspect
from atode.clock import Clock
from atode.errors import BrokerRefused
from atode.presence import Presence
from atode.statistics import QueueStats

MOST_QUEUES = 100
"""Queues that are told of: anyone can store any name."""


class Survey(NamedTuple):
    """How a store stands at the instant `at`."""

    at: float
    queues: Sequence[QueueStats]
    workers: Sequence[Presence]
    omitted: int
    """Queues that are not among `queues`: beyond the limit, or not readable."""


async def survey(broker: Inspect, clock: Clock, own: Collection[str]) -> Survey:
    """Look at all queues, the `own` ones first, and all workers.

    Raises:
        BrokerError: the store does not answer.
    """
    names = await broker.queues()
    shown = sorted(names, key=lambda name: (name not in own, name))[:MOST_QUEUES]
    answers = await asyncio.gather(*(_stats(broker, name) for name in shown))
    queues = [stats for stats in answers if stats]
    return Survey(clock.now(), queues, await broker.workers(), len(names) - len(queues))


async def _stats(broker: Inspect, queue: str) -> QueueStats | None:
    try:
        return await broker.stats(queue)
    except BrokerRefused:
        # Somebody else's keys where the queue's should be; that must not hide the others.
        return None


def families(found: Survey | None) -> Iterable[Metric]:
    """The figures; with no survey, only that there was none."""
    yield GaugeMetricFamily("broker_up", "Whether the broker answered.", value=found is not None)
    if found is not None:
        yield from _of_queues(found)
        yield from _of_workers(found)


def _of_queues(found: Survey) -> Iterable[Metric]:
    by_queue = ("queue",)
    jobs = GaugeMetricFamily("queue_jobs", "Jobs in each state.", labels=("queue", "state"))
    oldest = GaugeMetricFamily(
        "queue_oldest_pending_seconds",
        "How long the job that is next in line has waited; 0 if none waits.",
        labels=by_queue,
    )
    paused = GaugeMetricFamily("queue_paused", "Whether the queue is paused.", labels=by_queue)
    processed = CounterMetricFamily(
        "queue_processed", "Attempts that succeeded or failed, by any worker.", labels=by_queue
    )
    failed = CounterMetricFamily(
        "queue_failed", "Attempts that failed, by any worker.", labels=by_queue
    )
    for stats in found.queues:
        label = (stats.queue,)
        for state, count in stats.counts.items():
            jobs.add_metric((stats.queue, state.value), count)
        waited = found.at - stats.waiting_since if stats.waiting_since else 0.0
        oldest.add_metric(label, max(waited, 0.0))
        paused.add_metric(label, stats.paused)
        processed.add_metric(label, stats.processed)
        failed.add_metric(label, stats.failed)
    omitted = GaugeMetricFamily(
        "queues_omitted",
        f"Queues not told of: beyond the first {MOST_QUEUES}, or not readable.",
        value=found.omitted,
    )
    return jobs, oldest, paused, processed, failed, omitted


def _of_workers(found: Survey) -> Iterable[Metric]:
    workers = found.workers
    by_queue = ("queue",)
    serving = GaugeMetricFamily(
        "queue_workers", "Living workers that claim from the queue.", labels=by_queue
    )
    longest = GaugeMetricFamily(
        "queue_longest_running_seconds",
        "For how long the queue's longest running job has run; 0 if none runs.",
        labels=by_queue,
    )
    since = _oldest_start(workers)
    for stats in found.queues:
        queue = stats.queue
        claiming = sum(queue in each.queues for each in workers if each.status == "active")
        serving.add_metric((queue,), claiming)
        longest.add_metric((queue,), max(found.at - since.get(queue, found.at), 0.0))
    return (
        serving,
        longest,
        GaugeMetricFamily("workers_alive", "Living workers.", value=len(workers)),
        GaugeMetricFamily(
            "worker_slots",
            "Slots of all living workers.",
            value=sum(worker.concurrency for worker in workers),
        ),
        GaugeMetricFamily(
            "worker_slots_busy",
            "Slots of all living workers in which a job runs.",
            value=sum(worker.running_count for worker in workers),
        ),
    )


def _oldest_start(workers: Sequence[Presence]) -> Mapping[str, float]:
    oldest: dict[str, float] = {}
    for worker in workers:
        for job in worker.running:
            oldest[job.queue] = min(oldest.get(job.queue, job.started_at), job.started_at)
    return oldest
