"""Which ticks of a schedule become jobs, and how long after its tick each of them starts.

Pure, and the same on every worker: any number of them may reckon with the same schedule, and all
of them mean the same jobs.
"""

from collections.abc import Sequence
from enum import StrEnum
from hashlib import blake2b

from atode.cron import Cron
from atode.duration import Duration, seconds
from atode.errors import BadOption

MOST_MISSED = 1_000


class CatchUp(StrEnum):
    """What becomes of the ticks that passed while no worker was there."""

    NONE = "none"
    """They are skipped."""
    LATEST = "latest"
    """One job, for the latest of them."""
    ALL = "all"
    """A job for each of them, the latest ones up to a limit."""


def ticks_to_run(
    cron: Cron,
    last: float | None,
    now: float,
    policy: CatchUp = CatchUp.LATEST,
    *,
    grace: Duration = 60,
    limit: int = 100,
) -> Sequence[float]:
    """The ticks that become jobs now, ascending; empty when there are none.

    Args:
        last: the last tick that is known to all workers, whether it became a job or not; or the
            instant at which the schedule was first seen. None for a schedule that is new now: it
            begins with its next tick.
        policy: for the ticks between `last` and `now`. With `none`, the latest of them still
            counts for `grace` seconds, since no worker is on time to the millisecond.
        limit: at most so many, from 1 to 1,000. The latest ones; older ones never become jobs.

    When a clock is put back, so that `now` is before `last`, there are none.

    Raises:
        BadOption: `grace` or `limit` is out of its range.
    """
    grace = seconds(grace, "grace")
    if not 1 <= limit <= MOST_MISSED:
        raise BadOption(f"limit is {limit}; it must be from 1 to {MOST_MISSED:,}")
    if last is None:
        return []
    match policy:
        case CatchUp.NONE:
            return cron.due(max(last, now - grace), now, 1)
        case CatchUp.LATEST:
            return cron.due(last, now, 1)
        case CatchUp.ALL:
            return cron.due(last, now, limit)


def jitter(schedule: str, tick: float, spread: Duration) -> float:
    """Seconds from 0 to below `spread` by which the job of this tick starts later.

    Spreads the schedules that fire at midnight. It depends on nothing but the schedule's name
    and the tick, so that all workers agree, and every tick gets another one.

    Raises:
        BadOption: `spread` is not from 0 s to ten years.
    """
    width = seconds(spread, "jitter")
    digest = blake2b(f"{schedule}\0{tick:.3f}".encode(), digest_size=8).digest()
    # 53 bits fit a float exactly, so that the fraction stays below 1.
    return (int.from_bytes(digest) >> 11) / 2**53 * width
