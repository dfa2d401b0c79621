"""Looking at queues and their jobs (the protocol's section 13); nothing here writes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from atode.broker.redis import _presences, messages
from atode.broker.redis._batches import CHUNK, CHUNK_BYTES, read_due, waiting_since
from atode.broker.redis._link import Reply
from atode.broker.redis._scripts import COUNTS, FIND, MEMORY, WAITING
from atode.broker.redis._store import Store
from atode.broker.redis.keys import DUE, QUEUES, keys_of, raw_id, text_id
from atode.job import Job, State
from atode.presence import Presence
from atode.statistics import Day, QueueStats

_MEASURED_JOBS = 20
_MEASURED_GROUPS = 5

_STATES: Mapping[bytes, State] = {state.value.encode(): state for state in State}

_PARTS = 5
"""Values for each job in a reply of find.lua."""


class Inspection(Store):
    """What there is to see in Redis; each call tells how it stands at that moment."""

    async def queues(self) -> Sequence[str]:
        """Names of all queues that were ever used and not removed, sorted."""
        [names] = (await self._link.call([("SMEMBERS", QUEUES)])).replies
        return sorted(name.decode("utf-8", "replace") for name in names)

    async def stats(self, queue: str) -> QueueStats | None:
        """How a queue stands, or None if there is none of that name.

        Its memory is an estimate from a few jobs of each state.
        """
        [known] = (await self._link.call([("SISMEMBER", QUEUES, queue)])).replies
        if not known:
            return None
        keys = keys_of(queue)
        containers = tuple(keys.containers.values())
        answer = await self._link.call(
            [
                COUNTS.call(containers, keys.group),
                ("EXISTS", keys.paused),
                WAITING.call((keys.pending,), keys.jobs),
                ("MGET", keys.processed, keys.failed),
                MEMORY.call(containers, keys.jobs, keys.group, _MEASURED_JOBS, _MEASURED_GROUPS),
            ]
        )
        numbers, paused, since, (processed, failed), memory = answer.replies
        return QueueStats(
            queue,
            dict(zip(keys.containers, numbers, strict=True)),
            bool(paused),
            waiting_since(since),
            _number(processed),
            _number(failed),
            memory,
        )

    async def history(self, queue: str, days: int) -> Sequence[Day]:
        """What the queue did on the last 1 to 90 days (UTC), today first."""
        keys = keys_of(queue)
        today = datetime.fromtimestamp(self._clock.now(), UTC).date()
        dates = [today - timedelta(days=ago) for ago in range(days)]
        processed = [keys.processed_on(date.isoformat()) for date in dates]
        failed = [keys.failed_on(date.isoformat()) for date in dates]
        [counters] = (await self._link.call([("MGET", *processed, *failed)])).replies
        return [
            Day(date, _number(counters[n]), _number(counters[n + len(dates)]))
            for n, date in enumerate(dates)
        ]

    async def find(
        self, queue: str, state: State, *, offset: int = 0, limit: int = 30
    ) -> Sequence[Job]:
        """Jobs in a state, in order; a page is shorter where ids have lost their job."""
        keys = keys_of(queue)
        found: list[Job] = []
        more = limit > 0
        while more:
            asked = min(limit, CHUNK)
            command = FIND.call(
                (keys.containers[state],),
                *(keys.jobs, keys.group, state.value, offset, asked, CHUNK_BYTES),
            )
            [[looked, cut, *parts]] = (await self._link.call([command])).replies
            found += _read_jobs(parts, queue, state)
            offset += looked
            limit -= looked
            more = limit > 0 and (looked == asked or cut == b"1")
        return found

    async def get(self, queue: str, job_id: str) -> Job | None:
        """The job with its state and result; a broken message comes as its payload."""
        keys = keys_of(queue)
        answer = await self._link.call(
            [
                ("HMGET", keys.job(job_id), "msg", "state", "result", DUE),
                ("ZSCORE", keys.scheduled, raw_id(job_id)),
                ("ZSCORE", keys.retry, raw_id(job_id)),
            ]
        )
        (message, state, result, due), scheduled, retry = answer.replies
        if message is None or state not in _STATES:
            return None
        job = messages.read(message, queue, job_id, _STATES[state]).job
        score = {State.SCHEDULED: scheduled, State.RETRY: retry}.get(job.state)
        instant = read_due(due, score) if score is not None else 0.0
        return job._replace(due=instant, result=result or b"")

    async def counts(self, queue: str) -> Mapping[State, int]:
        """How many jobs of the queue are in each state."""
        keys = keys_of(queue)
        command = COUNTS.call(tuple(keys.containers.values()), keys.group)
        [numbers] = (await self._link.call([command])).replies
        return dict(zip(keys.containers, numbers, strict=True))

    async def workers(self) -> Sequence[Presence]:
        """The workers that live, Go's included."""
        now = self._clock.now()
        [names, _, _] = (await self._link.call(_presences.index_commands(now))).replies
        if not names:
            return []
        answer = await self._link.call(_presences.read_commands(names))
        return _presences.read_presences(answer.replies)


def _read_jobs(parts: Sequence[Reply], queue: str, state: State) -> list[Job]:
    found: list[Job] = []
    for start in range(0, len(parts), _PARTS):
        raw, score, message, result, due = parts[start : start + _PARTS]
        job = messages.read(message, queue, text_id(raw), state).job
        instant = read_due(due, score) if state in (State.SCHEDULED, State.RETRY) else 0.0
        found.append(job._replace(due=instant, result=result))
    return found


def _number(text: bytes | None) -> int:
    # Anybody may write anything there; figures must not keep a page from being shown.
    return int(text) if text and text.isdigit() else 0
