"""PostgresBroker: jobs in one table of a PostgreSQL database."""

import time
from collections.abc import Sequence
from contextlib import suppress
from operator import itemgetter
from typing import Self

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._address import address_of
from atode.broker.postgres._diagnosis import Diagnosis
from atode.broker.postgres._enqueue import (
    Delivery,
    new_batch,
    news_of,
    storing,
    values_of,
    walked,
)
from atode.broker.postgres._failures import is_taken
from atode.broker.postgres._groups import Groups
from atode.broker.postgres._holding import Holding
from atode.broker.postgres._limiting import Limiting
from atode.broker.postgres._link import Link
from atode.broker.postgres._moving import Moving
from atode.broker.postgres._operations import MOST_AT_ONCE
from atode.broker.postgres._presences import Presences
from atode.broker.postgres._rows import (
    MOST_FENCES,
    TALLIES,
    changes_of,
    claim_of,
    fences_of,
    keys_of,
    tallies_of,
    ticket_of,
)
from atode.broker.postgres._scheduling import Scheduling
from atode.broker.postgres._upkeep import Maintenance
from atode.broker.postgres._within import Within
from atode.broker.protocol import Refused
from atode.broker.returns import Returns
from atode.clock import Clock, SystemClock
from atode.errors import BrokerRefused, BrokerUnavailable
from atode.job import Claim, Job, State
from atode.outcome import Settlement

_LINE = itemgetter(0)
"""A claimed row's number in line."""


class PostgresBroker(
    Maintenance, Holding, Groups, Scheduling, Limiting, Presences, Diagnosis, Moving, Within
):
    """Jobs in PostgreSQL 13 or newer, in the schema that `url` names.

    It connects when it is first used, and again by itself after an outage. What it compares
    with the present (leases, due instants, retention, locks) is compared with the database's
    clock; a `clock` other than the system's takes its place.

    Raises:
        BadOption: `url` has an option or a value that cannot be.
    """

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        super().__init__(Link(address_of(url)), clock or SystemClock())
        self._url = url
        self._returns = Returns()

    async def open(self) -> None:
        """Bring the schema up to date, if PostgreSQL can be reached now; else it is done later.

        Raises:
            BrokerRefused: this program may not, or the schema belongs to another one.
        """
        with suppress(BrokerUnavailable):
            await self._link.rows("SELECT 1")

    async def close(self) -> None:
        """Close all connections; closing twice is harmless."""
        await self._stop_waiting()
        await self._returns.over()
        await self._calls.flush()
        await self._bell.take_down()
        await self._link.close()

    def sibling(self) -> Self:
        """Another broker on the same schema, for use on another thread's event loop."""
        return type(self)(self._url, self._clock)

    async def migrate(self) -> Sequence[str]:
        """Bring the schema up to date; the names of the migrations that were missing."""
        return await self._link.migrate()

    # Queue

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[Refused]:
        """Store new jobs and return the refused ones: their id or what they do is taken.

        A job that is repeated because an answer was lost counts as stored.
        """
        refused: list[Refused] = []
        for start in range(0, len(jobs), MOST_AT_ONCE):
            refused += await self._enqueue(jobs[start : start + MOST_AT_ONCE])
        return refused

    async def _enqueue(self, jobs: Sequence[Job]) -> Sequence[Refused]:
        call = self._calls.call(news_of(jobs))
        channel = self._link.address.channel
        delivery = Delivery(jobs, self._now(), new_batch(), channel, call.words)
        if any(job.unique_for for job in jobs):
            refused = await self._link.transact(lambda ask: walked(storing(delivery), ask))
        elif await self._stored_all(delivery):
            refused = []
        else:
            refused = await walked(storing(delivery), self._link.rows)
        self._calls.told(call)
        return refused

    async def _stored_all(self, delivery: Delivery) -> bool:
        """Store jobs whose ids are nearly certainly new; nothing is stored if one is not."""
        keys = keys_of(delivery.jobs)
        if keys.names:
            # Somebody chose these ids, and may mean that a second one be refused.
            return False
        try:
            await self._link.rows(sql.ENQUEUE_NEW, *values_of(delivery, delivery.jobs, keys))
        except BrokerRefused as error:
            if is_taken(error.__cause__):
                return False
            raise
        return True

    async def claim(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str
    ) -> Sequence[Claim]:
        """Take up to `limit` pending jobs, and hold them for `lease` seconds.

        A caller that is cancelled meanwhile gets nothing, and its jobs go back.
        """
        taking = self._take(queues, limit, lease, worker)
        return await self._returns.unless_kept(taking, self.settle)

    async def settle(self, settlements: Sequence[Settlement]) -> Sequence[Settlement]:
        """Write how claims ended, and return those whose claim does not hold its job.

        Where an answer was lost and the call repeated, a refusal says nothing: none is reported.
        """
        refused: list[Settlement] = []
        for start in range(0, len(settlements), MOST_FENCES):
            some = settlements[start : start + MOST_FENCES]
            gone = [settlement for settlement in some if settlement.after is None]
            for tally in dict.fromkeys(settlement.tally for settlement in gone):
                counted = [settlement for settlement in gone if settlement.tally is tally]
                refused += await self._settle(sql.SETTLE_GONE, counted, [TALLIES[tally]])
            if len(gone) < len(some):
                kept = [settlement for settlement in some if settlement.after is not None]
                refused += await self._settle_kept(kept)
        return refused

    async def wait(self, queues: Sequence[str], *, at_most: float) -> None:
        """Return as soon as one of the queues may have a pending job, or after `at_most` seconds.

        Jobs in a paused queue do not count.
        """
        until = self._clock.now() + at_most
        seen_all = False
        async with self._bell.sleeper("pending", queues, until, self._clock) as sleeper:
            while not sleeper.is_up:
                whole = self._lines.may_look_whole()
                if await self._is_ready(queues, whole=whole):
                    return
                seen_all = seen_all or whole
                pause = self._bell.looks_every
                if not seen_all:
                    pause = min(pause, self._lines.whole_look_in())
                if await sleeper.sleep(pause):
                    return

    async def claim_next(
        self, queues: Sequence[str], *, limit: int, lease: float, worker: str, at_most: float
    ) -> Sequence[Claim]:
        """Wait as `wait` does; the claims are left to the call that follows."""
        await self.wait(queues, at_most=at_most)
        return []

    async def _is_ready(self, queues: Sequence[str], *, whole: bool) -> bool:
        began = time.monotonic()
        marks = self._lines.places(queues, whole=whole)
        [[found]] = await self._link.rows(sql.READY, list(queues), marks)
        if whole:
            self._lines.looked_whole(time.monotonic() - began)
            if found:
                # The claim that follows must see what was seen here.
                for queue in queues:
                    self._lines.forget(queue)
        return bool(found)

    async def _take(
        self, queues: Sequence[str], limit: int, lease: float, worker: str
    ) -> list[Claim]:
        claims: list[Claim] = []
        some = MOST_AT_ONCE
        while some == MOST_AT_ONCE and len(claims) < limit:
            found = await self._take_some(
                queues, min(limit - len(claims), MOST_AT_ONCE), lease, worker
            )
            claims += found
            some = len(found)
        return claims

    async def _take_some(
        self, queues: Sequence[str], limit: int, lease: float, worker: str
    ) -> list[Claim]:
        whole = self._lines.may_look_whole()
        claims = await self._claimed(queues, limit, lease, worker, whole=whole)
        left = limit - len(claims)
        if left and not whole and self._lines.is_cheap:
            claims += await self._claimed(queues, left, lease, worker, whole=True)
        return claims

    async def _claimed(
        self, queues: Sequence[str], limit: int, lease: float, worker: str, *, whole: bool
    ) -> list[Claim]:
        until = self._clock.now() + lease
        began = time.monotonic()
        marks = self._lines.places(queues, whole=whole)
        rows = await self._link.rows(
            sql.CLAIM, self._now(), list(queues), marks, limit, lease, worker
        )
        if whole:
            enough = len(rows) == limit
            self._lines.looked_whole(time.monotonic() - began, found_enough=enough)
        rows = sorted(rows, key=_LINE)
        # Of each queue, the last.
        for queue, line in {row[4]: row[0] for row in rows}.items():
            self._lines.taken(queue, line)
        if len(queues) > 1:
            order = {queue: place for place, queue in enumerate(queues)}
            rows.sort(key=lambda row: order[row[4]])
        return [claim_of(row, worker, until) for row in rows]

    async def _settle_kept(self, settlements: Sequence[Settlement]) -> list[Settlement]:
        after = [job for _, job, _ in settlements if job is not None]
        call = self._calls.call(news_of(after))
        channel = self._link.address.channel
        changes = (tallies_of(settlements), *changes_of(after), channel, call.words)
        refused = await self._settle(sql.SETTLE_KEPT, settlements, changes)
        for job in after:
            if job.state is State.PENDING:
                self._lines.forget(job.queue)
        self._calls.told(call)
        return refused

    async def _settle(
        self, statement: str, settlements: Sequence[Settlement], changes: Sequence[object]
    ) -> list[Settlement]:
        fences = fences_of([settlement.claim for settlement in settlements])
        ([row], resent) = await self._link.call(statement, self._now(), *fences, *changes)
        if resent or row[0] == len(settlements):
            return []
        left: set[int] = set(row[1] or ())
        refused: list[Settlement] = []
        for settlement in settlements:
            ticket = ticket_of(settlement.claim)
            if ticket in left:
                # Only once, should there be two of them.
                left.discard(ticket)
            else:
                refused.append(settlement)
        return refused
