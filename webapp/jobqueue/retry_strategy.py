"""How often a job is tried, and after which pauses."""

from dataclasses import dataclass

from atode import Retry, exponential, fixed


@dataclass(frozen=True)
class RetryStrategy:
    """`exponential`: `first` seconds, twice as long each time, up to `cap`; `fixed`: always
    `first`. Each pause varies by ± `jitter` of itself, so that jobs that failed together do
    not come back together."""

    kind: str = "exponential"
    first: float = 1.0
    cap: float = 16.0
    jitter: float = 0.1
    attempts: int = 5
    """The first one included."""
    timeout: float = 300.0
    """Seconds that one attempt may take."""

    def retry(self, times: int | None = None) -> Retry:
        """As atode wants it told; `times` is the number of retries where it is another one.

        Raises:
            BadOption: a value is out of its range.
        """
        if self.kind == "fixed":
            curve = fixed(self.first, jitter=self.jitter)
        else:
            curve = exponential(self.first, cap=self.cap, jitter=self.jitter)
        return Retry(self.attempts - 1 if times is None else times, curve)
