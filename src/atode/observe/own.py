"""What a process can tell of itself, as opposed to its store."""

from collections.abc import Collection, Iterable
from typing import Protocol

from prometheus_client import REGISTRY
from prometheus_client.core import Metric

from atode.observe.metrics import Metrics


class Own(Protocol):
    """Figures, and which queues they are about."""

    @property
    def queues(self) -> Collection[str]:
        """Names of the queues that are served."""
        ...

    def collect(self) -> Iterable[Metric]:
        """The figures as they are now."""
        ...


class OfThisProcess:
    """atode's figures, and those that the program keeps in Prometheus' default registry."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    @property
    def queues(self) -> Collection[str]:
        """Names of the queues that workers in this process serve."""
        return self._metrics.queues

    def collect(self) -> Iterable[Metric]:
        """The figures as they are now."""
        yield from self._metrics.collect()
        yield from REGISTRY.collect()
