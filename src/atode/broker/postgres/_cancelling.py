"""Cancelling jobs, and hearing that running ones were cancelled."""

from collections.abc import Sequence

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._bell import News
from atode.broker.postgres._link import Link
from atode.broker.postgres._operations import Operations
from atode.broker.postgres._rows import MOST_FENCES, fences_of, id_of, ticket_of
from atode.broker.protocol import Cancellation, Which
from atode.clock import Clock
from atode.job import Claim, State


class Cancelling(Operations):
    """Marks in the jobs' rows; what was told already is remembered here."""

    def __init__(self, link: Link, clock: Clock) -> None:
        super().__init__(link, clock)
        self._told: dict[str, frozenset[int]] = {}
        """Per worker, the numbers of the cancellations that it knows."""

    async def cancel(self, queue: str, which: Which) -> int:
        """Archive jobs that wait, mark those that run, and tell their workers."""
        if which is State.ACTIVE:
            # They stay where they are, so that there is no "first so many that are left".
            which = [str(job_id) for (job_id,) in await self._link.rows(sql.RUNNING, queue)]
        news = [] if isinstance(which, State) else [News("cancel", queue)]
        return await self._in_parts(sql.CANCEL, sql.CANCEL_NAMED, queue, which, news)

    async def cancellations(
        self, queues: Sequence[str], *, worker: str, at_most: float
    ) -> Sequence[Cancellation]:
        """Sleep until running jobs of the queues are cancelled, or for `at_most` seconds."""
        until = self._clock.now() + at_most
        async with self._bell.sleeper("cancel", queues, until, self._clock) as sleeper:
            # We hear what we told, too.
            while not (found := await self._unheard(queues, worker)) and not sleeper.is_up:
                await sleeper.sleep(self._bell.looks_every)
            return found

    async def marked(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        """Which of these claims hold a job that was cancelled for good."""
        marked: set[int] = set()
        for start in range(0, len(claims), MOST_FENCES):
            fences = fences_of(claims[start : start + MOST_FENCES])
            marked |= {ticket for (ticket,) in await self._link.rows(sql.MARKED, *fences)}
        return [claim for claim in claims if ticket_of(claim) in marked]

    async def _unheard(self, queues: Sequence[str], worker: str) -> Sequence[Cancellation]:
        rows = await self._link.rows(sql.MARKS, list(queues))
        told = self._told.get(worker, frozenset())
        self._told[worker] = frozenset(number for number, *_ in rows)
        return [
            Cancellation(id_of(job_id, name), queue)
            for number, job_id, name, queue in rows
            if number not in told
        ]
