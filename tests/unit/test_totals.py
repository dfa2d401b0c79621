"""Figures of several processes, added up."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest

from atode.observe.totals import Totals, packed
from tests.exposition import Exposition, read


class Own:
    """A process that has run so many jobs, in a second each."""

    def __init__(self, jobs: int, queues: Sequence[str] = ("default",)) -> None:
        self.queues = queues
        self._jobs = jobs

    def collect(self) -> Iterable[Metric]:
        jobs = self._jobs
        by_task = ("job_type",)
        done = CounterMetricFamily("jobs_processed", "Attempts.", labels=by_task)
        done.add_metric(("mail",), jobs, created=1000.0 - jobs)
        yield done
        took = HistogramMetricFamily("job_duration_seconds", "How long.", labels=by_task)
        took.add_metric(("mail",), [("0.5", 0), ("1.0", jobs), ("+Inf", jobs)], float(jobs))
        yield took
        yield GaugeMetricFamily("memory_bytes", "So much.", value=100.0 + jobs)


def told(own: Own) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(json.dumps(packed(own)))
    return found


def page(totals: Totals) -> Exposition:
    return read(generate_latest(totals))


def totals_of(*jobs: int) -> Totals:
    totals = Totals()
    for number, count in enumerate(jobs, start=1):
        totals.hear(number, told(Own(count)))
    return totals


def test_counters_and_histograms_are_added_up() -> None:
    found = page(totals_of(3, 4))

    assert found.value("jobs_processed_total", job_type="mail") == 7
    assert found.value("job_duration_seconds_bucket", job_type="mail", le="0.5") == 0
    assert found.value("job_duration_seconds_bucket", job_type="mail", le="1.0") == 7
    assert found.value("job_duration_seconds_count", job_type="mail") == 7
    assert found.value("job_duration_seconds_sum", job_type="mail") == 7


def test_a_gauge_is_each_processs_own() -> None:
    found = page(totals_of(3, 4))

    assert found.value("memory_bytes", worker_process="1") == 103
    assert found.value("memory_bytes", worker_process="2") == 104


def test_what_a_process_tells_again_takes_the_place_of_what_it_told() -> None:
    totals = totals_of(3, 4)

    totals.hear(1, told(Own(5)))

    assert page(totals).value("jobs_processed_total", job_type="mail") == 9


def test_what_a_process_has_counted_stays_when_it_ends_and_its_successor_is_added() -> None:
    totals = totals_of(3, 4)

    totals.end(2)
    ended = page(totals)
    totals.hear(2, told(Own(1)))
    followed = page(totals)
    totals.end(2)
    totals.end(2)

    assert ended.value("jobs_processed_total", job_type="mail") == 7
    assert ended.labels_of("memory_bytes") == [{"worker_process": "1"}]
    assert followed.value("jobs_processed_total", job_type="mail") == 8
    assert followed.value("memory_bytes", worker_process="2") == 101
    assert page(totals).value("jobs_processed_total", job_type="mail") == 8


def test_the_time_since_when_something_is_counted_is_the_earliest() -> None:
    created = {
        sample.value
        for metric in totals_of(3, 4).collect()
        for sample in metric.samples
        if sample.name == "jobs_processed_created"
    }

    assert created == {996.0}


def test_queues_are_those_of_all_living_processes() -> None:
    totals = Totals()
    totals.hear(1, told(Own(1, ["mail"])))
    totals.hear(2, told(Own(1, ["batch", "mail"])))

    assert totals.queues == {"mail", "batch"}


def test_nothing_told_is_an_empty_page() -> None:
    assert not page(Totals()).samples
