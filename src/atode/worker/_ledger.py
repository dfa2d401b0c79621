"""The claims that this worker answers for: running, or ended and not yet settled."""

from collections.abc import Iterable, Sequence

from atode.job import Claim
from atode.worker._attempt import Attempt, Cause


class Ledger:
    """Attempts by queue and job id. The heartbeat's thread reads what the loop writes."""

    def __init__(self) -> None:
        self._attempts: dict[tuple[str, str], Attempt] = {}

    def add(self, attempt: Attempt) -> None:
        """From now on, the claim's lease is extended."""
        job = attempt.claim.job
        key = (job.queue, job.id)
        before = self._attempts.get(key)
        if before is not None and before.written is None:
            # We took the job over from ourselves: its lease had run out unextended. (One that was
            # completed in a transaction is over, and this is a later job with the same id.)
            before.cancel(Cause.LOST)
        self._attempts[key] = attempt

    def remove(self, claim: Claim) -> Attempt | None:
        """The claim is settled or lost. None if the ledger holds no such claim (any more)."""
        key = (claim.job.queue, claim.job.id)
        attempt = self._attempts.get(key)
        if attempt is None or attempt.claim is not claim:
            return None
        return self._attempts.pop(key)

    def attempts(self) -> Sequence[Attempt]:
        """All of them, as they are now."""
        # One C call, during which no other thread changes the dictionary.
        return list(self._attempts.values())

    def running(self) -> Sequence[Attempt]:
        """Those whose handlers have not ended."""
        return [attempt for attempt in self.attempts() if not attempt.ended_at]

    def named(self, job_id: str, queue: str = "") -> Sequence[Attempt]:
        """The attempts of jobs with this id; in every queue, if none is named."""
        if queue:
            attempt = self._attempts.get((queue, job_id))
            return [attempt] if attempt else []
        return [attempt for attempt in self.attempts() if attempt.claim.job.id == job_id]

    def find(self, claims: Iterable[Claim]) -> Iterable[Attempt]:
        """The attempts of those claims that the ledger still holds."""
        for claim in claims:
            attempt = self._attempts.get((claim.job.queue, claim.job.id))
            if attempt is not None and attempt.claim is claim:
                yield attempt
