"""What several processes of one program have counted, together.

Each tells its families as plain values; counters and histograms are added up, those of processes
that have ended included, so that no counter ever goes back. A gauge is the state of one
process, and keeps that as a label.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from atode.observe.own import Own

PROCESS = "worker_process"
"""Label of what cannot be added up."""

_ADDED = frozenset({"counter", "histogram", "summary"})

_Sample = tuple[str, tuple[tuple[str, str], ...]]
"""Name and labels."""


class _Family(NamedTuple):
    text: str
    kind: str
    samples: dict[_Sample, float]


def packed(own: "Own") -> Mapping[str, Any]:
    """What this process has counted, fit for JSON."""
    families = [
        [
            each.name,
            each.documentation,
            each.type,
            [[sample.name, sample.labels, sample.value] for sample in each.samples],
        ]
        for each in own.collect()
    ]
    return {"queues": sorted(own.queues), "families": families}


class Totals:
    """The figures of all processes, and of those that have ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[int, Mapping[str, Any]] = {}
        self._gone: dict[str, _Family] = {}

    @property
    def queues(self) -> set[str]:
        """Names of the queues that their workers serve."""
        with self._lock:
            return {queue for told in self._told.values() for queue in told["queues"]}

    def hear(self, process: int, told: Mapping[str, Any]) -> None:
        """What a process has counted since it started."""
        with self._lock:
            self._told[process] = told

    def end(self, process: int) -> None:
        """The process has ended; another one may have its number from now on."""
        with self._lock:
            told = self._told.pop(process, None)
            if told:
                _add(self._gone, told["families"], None)

    def collect(self) -> Iterable["Metric"]:
        """The families, as they are now."""
        # Who serves no metrics may do without the package.
        from prometheus_client.core import Metric

        with self._lock:
            sums = {
                name: family._replace(samples=dict(family.samples))
                for name, family in self._gone.items()
            }
            for process, told in sorted(self._told.items()):
                _add(sums, told["families"], process)
        for name, (text, kind, samples) in sums.items():
            metric = Metric(name, text, kind)
            for (sample, labels), value in samples.items():
                metric.add_sample(sample, dict(labels), value)
            yield metric


def _add(sums: dict[str, _Family], families: Sequence[Any], process: int | None) -> None:
    for name, text, kind, told in families:
        if kind not in _ADDED and process is None:
            continue
        samples = sums.setdefault(name, _Family(text, kind, {})).samples
        for sample, labels, value in told:
            extra = {} if kind in _ADDED else {PROCESS: str(process)}
            key = (sample, tuple(sorted({**labels, **extra}.items())))
            if sample.endswith("_created"):
                samples[key] = min(samples.get(key, value), value)
            else:
                samples[key] = samples.get(key, 0) + value
