"""Looking at queues and their jobs; nothing here writes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._rows import job_of, key_of
from atode.broker.postgres._store import Store
from atode.job import Job, State
from atode.presence import Presence, presence_from_json
from atode.statistics import Day, QueueStats


class Inspection(Store):
    """What there is to see in the database; each call tells how it stands at that moment."""

    async def queues(self) -> Sequence[str]:
        """Names of all queues that were ever used and not removed, sorted."""
        return [queue for (queue,) in await self._link.rows(sql.QUEUES)]

    async def stats(self, queue: str) -> QueueStats | None:
        """How a queue stands, or None if there is none of that name."""
        rows = await self._link.rows(sql.STATS, queue)
        if not rows:
            return None
        [(paused, waiting_since, succeeded, failed)] = rows
        return QueueStats(
            queue=queue,
            counts=await self.counts(queue),
            paused=paused,
            waiting_since=waiting_since or 0.0,
            processed=succeeded + failed,
            failed=failed,
        )

    async def history(self, queue: str, days: int) -> Sequence[Day]:
        """What the queue did on the last days (UTC), today first."""
        now = self._now()
        [[moment]] = await self._link.rows(sql.MOMENT, now)
        rows = await self._link.rows(sql.HISTORY, moment, queue, days)
        found = {ago: (well, badly) for ago, well, badly in rows}
        today = datetime.fromtimestamp(moment, UTC).date()
        endings = [(ago, *found.get(ago, (0, 0))) for ago in range(days)]
        return [
            Day(today - timedelta(days=ago), well + badly, badly) for ago, well, badly in endings
        ]

    async def find(
        self, queue: str, state: State, *, offset: int = 0, limit: int = 30
    ) -> Sequence[Job]:
        """Jobs in a state, in its order; past the end there are none."""
        if state not in sql.FIND:
            return []
        return [job_of(row) for row in await self._link.rows(sql.FIND[state], queue, limit, offset)]

    async def get(self, queue: str, job_id: str) -> Job | None:
        """The job with its state and result, or None if the queue has none of this id."""
        rows = await self._link.rows(sql.GET, queue, key_of(job_id).id)
        return job_of(rows[0]) if rows else None

    async def counts(self, queue: str) -> Mapping[State, int]:
        """How many jobs of the queue are in each state."""
        found = {State(state): number for state, number in await self._link.rows(sql.COUNTS, queue)}
        return {state: found.get(state, 0) for state in State}

    async def workers(self) -> Sequence[Presence]:
        """The workers that live."""
        return [
            presence_from_json(body) for (body,) in await self._link.rows(sql.WORKERS, self._now())
        ]
