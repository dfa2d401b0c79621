"""What somebody's long transaction does to leases, and how nobody is taken for dead by it."""

import time
from collections.abc import Callable, Sequence

from atode.broker.sqlite._transaction import Transaction
from atode.job import Claim

Reap = Callable[[Transaction], Sequence[Claim]]

# While one transaction writes, no lease in the whole file can be extended. A reaper that was
# held up so long, in seconds, leaves the living so long to extend theirs.
_HELD_UP = 0.5
_RESPITE = 3.0


class Siege:
    """Nothing is taken over just after the file was locked for long."""

    def __init__(self) -> None:
        self._over_at = float("-inf")

    def guarded(self, reap: Reap) -> Reap:
        """The same, but nothing is found when it has waited for long, and shortly after that."""
        asked_at = time.monotonic()

        def guarded(tx: Transaction) -> Sequence[Claim]:
            now = time.monotonic()
            if now - asked_at > _HELD_UP:
                self._over_at = now + _RESPITE
            return [] if now < self._over_at else reap(tx)

        return guarded
