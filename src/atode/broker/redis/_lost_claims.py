"""Claims whose answer got lost: their jobs are ours, and we do not know which they are.

Without this they would wait until their lease is over, and lose a retry as if their worker had
died.
"""

from collections.abc import Sequence

from atode.broker.redis._batches import CHUNK, CHUNK_BYTES, claim_score, lease_score
from atode.broker.redis._scripts import REGAIN, Command
from atode.broker.redis.keys import keys_of, raw_id
from atode.job import Claim


class LostClaims:
    """The expiries that lost claims have asked for, by which their jobs are found."""

    def __init__(self) -> None:
        self._lost: dict[tuple[str, str], list[float]] = {}
        self._answered: dict[tuple[str, str], str] = {}

    def lose(self, queue: str, worker: str, until: float) -> None:
        """No answer came; the claim may have been done or not."""
        # Jobs of two claims in one millisecond could not be told apart.
        if self._answered.get((queue, worker)) != claim_score(until):
            self._lost.setdefault((queue, worker), []).append(until)

    def answer(self, queue: str, worker: str, until: float) -> None:
        """An answer came."""
        self._answered[queue, worker] = claim_score(until)

    def of(self, queue: str, worker: str, now: float) -> Sequence[float]:
        """Those that may still be regained; the jobs of others are up to the reaper."""
        if (queue, worker) not in self._lost:
            return ()
        left = [until for until in self._lost[queue, worker] if until > now]
        if left:
            self._lost[queue, worker] = left
        else:
            del self._lost[queue, worker]
        return left


def regain_command(
    queue: str, worker: str, lost: float, *, limit: int, until: float, arrived: Sequence[Claim] = ()
) -> Command:
    """Take up to `limit` jobs of the claim that asked for a lease until the instant `lost`."""
    keys = keys_of(queue)
    return REGAIN.call(
        (keys.lease,),
        *(keys.jobs, claim_score(lost), worker, min(limit, CHUNK), lease_score(until)),
        CHUNK_BYTES,
        *[raw_id(claim.job.id) for claim in arrived],
    )
