"""What a Prometheus server reads."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families


class Exposition(NamedTuple):
    """Samples by name and labels."""

    samples: Mapping[tuple[str, tuple[tuple[str, str], ...]], float]

    def value(self, name: str, **labels: str) -> float:
        """The one sample of this name with exactly these labels."""
        return self.samples[name, tuple(sorted(labels.items()))]

    def labels_of(self, name: str) -> Sequence[Mapping[str, str]]:
        """The labels of all samples of this name."""
        return [dict(labels) for found, labels in self.samples if found == name]

    def values_of(self, label: str) -> set[str]:
        """All values that a label has anywhere."""
        return {value for _, labels in self.samples for name, value in labels if name == label}

    @property
    def names(self) -> set[str]:
        """Of all samples."""
        return {name for name, _ in self.samples}


def read(body: bytes) -> Exposition:
    """An exposition in text format, without a sample that comes twice."""
    samples: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for family in text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in samples, f"twice: {key}"
            samples[key] = sample.value
    return Exposition(samples)
