"""Moving queues from this database to another store, or from another store to this database."""

from collections.abc import Sequence
from typing import NamedTuple

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._enqueue import new_batch, news_of
from atode.broker.postgres._link import Ask, Rows
from atode.broker.postgres._rows import (
    job_of,
    key_of,
    keys_of,
    locks_of,
    misfit_of,
    problem_of,
    received_columns_of,
)
from atode.broker.postgres._store import Store
from atode.job import State
from atode.transfer import Arrival, Departure, Left, Moved, Stamp, goes_on, id_taken, superseded

_MOST_BYTES = 1_000_000
"""Bytes of payloads and results after which no more jobs are given at once."""


class _Move(NamedTuple):
    """How the move of a queue stands."""

    mover: str
    given: str
    receives: bool
    is_paused: bool


class Moving(Store):
    """Each turn of a mover is one transaction."""

    async def start_giving(self, queue: str, *, mover: str) -> Departure:
        """Pause the queue and let `mover` move it from here."""

        async def work(ask: Ask) -> Departure:
            is_new = bool(await ask(sql.PAUSE, queue))
            values = queue, mover, False, is_new
            [(given, pauses)] = await ask(sql.START_MOVE, *values)
            return Departure(Stamp.of(given), not pauses)

        return await self._link.transact(work)

    async def give(
        self, queue: str, state: State, *, mover: str, offset: int = 0, limit: int = 500
    ) -> Sequence[Moved]:
        """Up to `limit` jobs in a state; they stay."""

        async def work(ask: Ask) -> Rows:
            if not (await _own_move(ask, queue, mover)).is_paused:
                raise goes_on(queue)
            if state not in sql.GIVE:
                return []
            values = self._now(), queue, limit, offset, _MOST_BYTES
            return await ask(sql.GIVE[state], *values)

        rows = await self._link.transact(work)
        return [
            Moved.of(job_of(row), since, lock_left)._replace(problem=problem_of(row))
            for since, lock_left, *row in rows
        ]

    async def given(self, queue: str, ids: Sequence[str], *, stamp: Stamp) -> Sequence[str]:
        """Delete jobs that have arrived, with their locks; those that are still here."""
        keys = {key_of(job_id).id: job_id for job_id in ids}

        async def work(ask: Ask) -> Rows:
            if (await _own_move(ask, queue, stamp.mover)).given == str(stamp):
                return []
            stored = list(keys)
            await ask(sql.NOTE_GIVEN, queue, str(stamp), stored)
            # A claim that began before the pause may be at one of them still.
            await ask(sql.STILL_IN, queue, stored)
            await ask(sql.DELETE_IDS, self._now(), queue, stored)
            return await ask(sql.STORED, queue, stored)

        return [keys[str(stored)] for (stored,) in await self._link.transact(work)]

    async def start_receiving(
        self, queue: str, *, mover: str, given: Stamp | None, paused: bool
    ) -> None:
        """Let `mover` move the queue to here, and forget what is gone from where it came."""

        async def work(ask: Ask) -> None:
            move = await _move(ask, queue)
            if paused and not (move and move.receives):
                await ask(sql.PAUSE, queue)
            await ask(sql.START_MOVE, queue, mover, True, False)
            if given:
                await ask(sql.FORGET_GIVEN, queue, *given)

        await self._link.transact(work)

    async def receive(self, queue: str, jobs: Sequence[Moved], *, stamp: Stamp) -> Arrival:
        """Store jobs as they were, behind those that are here, and wake workers."""
        problems = [Left(moved.job.id, misfit_of(moved)) for moved in jobs]
        misfits = [left for left in problems if left.reason]
        fit = [moved for moved, left in zip(jobs, problems, strict=True) if not left.reason]
        call = self._calls.call(news_of([moved.job for moved in fit]))

        async def work(ask: Ask) -> Arrival:
            await _own_move(ask, queue, stamp.mover)
            arrival = await self._receive(ask, queue, fit, stamp)
            channel = self._link.address.channel
            await ask(sql.NOTIFY, channel, call.words)
            return arrival

        arrival = await self._link.transact(work)
        self._calls.told(call)
        return arrival._replace(refused=[*misfits, *arrival.refused])

    async def finish_moving(self, queue: str, *, mover: str) -> None:
        """Forget what was remembered, unless another mover has started."""
        await self._link.rows(sql.FINISH_MOVE, queue, mover)

    async def _receive(self, ask: Ask, queue: str, jobs: Sequence[Moved], stamp: Stamp) -> Arrival:
        # The mover promises that what it brought before is gone from the old store.
        gone = queue, stamp.mover, stamp.number - 1
        await ask(sql.FORGET_GIVEN, *gone)
        ids = keys_of(moved.job for moved in jobs).ids
        known = {str(job_id) for (job_id,) in await ask(sql.KNOWN, queue, ids)}
        new = {
            job_id: moved for job_id, moved in zip(ids, jobs, strict=True) if job_id not in known
        }
        batch = new_batch()
        stored = await self._stored(ask, queue, list(new.values()), batch)
        fresh = [moved for job_id, moved in new.items() if job_id in stored]
        unlocked = await self._locked(ask, fresh, batch)
        await ask(sql.REMEMBER, queue, *stamp, sorted(stored | known))
        refused = [id_taken(each.job.id) for job_id, each in new.items() if job_id not in stored]
        return Arrival(refused, unlocked)

    async def _stored(self, ask: Ask, queue: str, jobs: Sequence[Moved], batch: int) -> set[str]:
        """Store jobs; under which ids."""
        if not jobs:
            return set()
        values = self._now(), batch, queue, *received_columns_of(jobs)
        return {str(stored) for (stored,) in await ask(sql.RECEIVE, *values)}

    async def _locked(self, ask: Ask, jobs: Sequence[Moved], batch: int) -> Sequence[str]:
        """Lock what jobs had locked; the ids of those that find it locked by another one."""
        locking = [moved for moved in jobs if moved.lock_left > 0]
        if not locking:
            return []
        first: dict[str, Moved] = {}
        for moved in locking:
            first.setdefault(moved.job.unique, moved)
        columns = locks_of(
            [
                job._replace(state=State.PENDING, unique_for=lock_left)
                for job, _, lock_left, *_ in first.values()
            ]
        )
        rows = await ask(sql.LOCK, self._now(), batch, *columns)
        locked = {text for _, text in rows}
        return [
            moved.job.id
            for moved in locking
            if moved.job.unique not in locked or first[moved.job.unique] is not moved
        ]


async def _own_move(ask: Ask, queue: str, mover: str) -> _Move:
    move = await _move(ask, queue)
    if move is None or move.mover != mover:
        raise superseded(queue)
    return move


async def _move(ask: Ask, queue: str) -> _Move | None:
    rows = await ask(sql.MOVE, queue)
    return _Move(*rows[0]) if rows else None
