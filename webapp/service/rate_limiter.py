"""How often somebody may ask."""

from dataclasses import dataclass
from typing import Protocol

from webapp.service.failure import TransientFailure

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


class CountsDown(TransientFailure):
    """The place where requests are counted cannot be used now."""


@dataclass(frozen=True)
class Rate:
    """At most so many requests in any period of so many seconds."""

    amount: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """The rate that is written as `600/minute`, with second, hour and day likewise.

        Raises:
            ValueError: it is written in another way.
        """
        amount, _, unit = text.partition("/")
        if unit not in _SECONDS:
            raise ValueError(f"{text!r} is not a rate such as 600/minute")
        return cls(int(amount), _SECONDS[unit])

    def __str__(self) -> str:
        units = {seconds: unit for unit, seconds in _SECONDS.items()}
        return f"{self.amount:,} per {units.get(self.seconds, f'{self.seconds} seconds')}"


class RateLimiter(Protocol):
    """Counts the requests of many callers, each for itself."""

    async def take(self, who: str, rate: Rate, cost: int = 1) -> float:
        """Count a request of `who`, as `cost`, if its rate lets it pass.

        0 if it passes; else the seconds after which the next one will, and nothing is counted.

        Raises:
            CountsDown: whether it is counted is not known.
        """
        ...

    async def close(self) -> None:
        """Let go of connections; a later call makes new ones."""
        ...
