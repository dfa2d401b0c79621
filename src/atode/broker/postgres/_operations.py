"""What operators do to queues by hand; many jobs are moved in parts, so that claims go on."""

from collections.abc import Mapping, Sequence

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._bell import News
from atode.broker.postgres._inspection import Inspection
from atode.broker.postgres._rows import is_json, key_of
from atode.broker.protocol import Which
from atode.job import State

MOST_AT_ONCE = 1000
"""Jobs in one statement."""


class Operations(Inspection):
    """An operator's hands; each call tells how many jobs it has moved."""

    async def run(self, queue: str, which: Which) -> int:
        """Make jobs pending now, last in line, and wake workers."""
        return await self._in_parts(sql.RUN, sql.RUN_IDS, queue, which, [News("pending", queue)])

    async def archive(self, queue: str, which: Which) -> int:
        """Move jobs into the archive. Their locks stay."""
        return await self._in_parts(sql.ARCHIVE, sql.ARCHIVE_IDS, queue, which)

    async def delete(self, queue: str, which: Which) -> int:
        """Delete jobs and unlock what they have locked."""
        return await self._in_parts(sql.DELETE, sql.DELETE_IDS, queue, which)

    async def replace_payload(self, queue: str, job_id: str, payload: bytes) -> bool:
        """Give a scheduled job other arguments; False if no scheduled job has this id."""
        values = queue, key_of(job_id).id, payload, is_json(payload)
        return bool(await self._link.rows(sql.REPLACE_PAYLOAD, *values))

    async def pause(self, queue: str) -> bool:
        """Let nothing more be claimed from the queue; False if it was paused already."""
        return bool(await self._link.rows(sql.PAUSE, queue))

    async def resume(self, queue: str) -> bool:
        """Let the queue go on, and wake workers; False if it was not paused."""
        return bool(await self._telling([News("pending", queue)], sql.RESUME, queue))

    async def remove(self, queue: str, *, force: bool = False) -> bool:
        """Remove a queue with all that belongs to it, unless it holds jobs."""
        if not await self._may_go(queue, force):
            return False
        # No job becomes active from here on. Who dies in between leaves a paused queue, to be
        # removed again.
        was_paused = not await self.pause(queue)
        if not await self._may_go(queue, force):
            if not was_paused:
                await self.resume(queue)
            return False
        while await self._link.rows(sql.CLEAR, queue, MOST_AT_ONCE):
            pass
        await self._link.rows(sql.FORGET, queue)
        return True

    async def _may_go(self, queue: str, force: bool) -> bool:
        [(has_jobs, has_active)] = await self._link.rows(sql.HOLDS, queue)
        return not has_active and (force or not has_jobs)

    async def _in_parts(
        self,
        by_state: Mapping[State, str],
        by_id: str,
        queue: str,
        which: Which,
        news: Sequence[News] = (),
    ) -> int:
        done = 0
        if isinstance(which, State):
            if which not in by_state:
                return 0
            # As many as there are now: jobs that keep coming in do not make it endless.
            left = (await self.counts(queue))[which]
            some = left
            while left > 0 and some:
                limit = min(left, MOST_AT_ONCE)
                some = await self._part(by_state[which], queue, limit, news)
                done += some
                left -= some
            return done
        ids = [key_of(job_id).id for job_id in dict.fromkeys(which)]
        for start in range(0, len(ids), MOST_AT_ONCE):
            done += await self._part(by_id, queue, ids[start : start + MOST_AT_ONCE], news)
        return done

    async def _part(
        self, statement: str, queue: str, which: int | list[str], news: Sequence[News]
    ) -> int:
        values = self._now(), queue, which
        if news:
            rows = await self._telling(news, statement, *values)
        else:
            rows = await self._link.rows(statement, *values)
        number: int = rows[0][0]
        return number
