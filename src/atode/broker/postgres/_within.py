"""Enqueue and complete in the caller's transaction: true when that commits, never otherwise."""

from collections.abc import Sequence
from functools import partial
from typing import Any, TypeVar

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._enqueue import (
    Delivery,
    Step,
    Steps,
    new_batch,
    news_of,
    storing,
    walked,
    walked_here,
)
from atode.broker.postgres._link import Rows
from atode.broker.postgres._rows import TALLIES, changes_of, fences_of, tallies_of, ticket_of
from atode.broker.postgres._schema import quoted
from atode.broker.postgres._store import Store
from atode.broker.postgres._transaction import Session, session_of
from atode.broker.protocol import Refused
from atode.errors import BadOption, BrokerRefused
from atode.job import Job
from atode.outcome import Settlement, Written

T = TypeVar("T")


class Within(Store):
    """Writes through connections of other libraries. Nothing of ours is connected for it."""

    async def enqueue_within(self, transaction: object, jobs: Sequence[Job]) -> Sequence[Refused]:
        """Store new jobs in the open transaction of an asynchronous connection."""
        return await self._walked(transaction, storing(self._delivery(jobs)), "enqueue_sync")

    def enqueue_within_sync(self, transaction: object, jobs: Sequence[Job]) -> Sequence[Refused]:
        """Store new jobs in the open transaction of a connection, on the caller's thread."""
        return self._walked_here(transaction, storing(self._delivery(jobs)), "enqueue")

    async def settle_within(self, transaction: object, settlement: Settlement) -> Written | None:
        """Write a settlement in the open transaction of an asynchronous connection."""
        return await self._walked(transaction, self._settling(settlement), "complete_job_sync")

    def settle_within_sync(self, transaction: object, settlement: Settlement) -> Written | None:
        """Write a settlement in the open transaction of a connection, on the caller's thread."""
        return self._walked_here(transaction, self._settling(settlement), "complete_job")

    async def committed(self, written: Sequence[Written]) -> Sequence[bool | None]:
        """Whether their transactions were committed; None for those that are open."""
        try:
            rows = await self._link.rows(sql.FATES, [each.receipt for each in written])
        except BrokerRefused:
            # A server that took over from the one that had them does not know their numbers.
            return [False] * len(written)
        fates: dict[int, str | None] = {row[0]: row[1] for row in rows}
        ended = [_COMMITTED.get(fates[place] or "", False) for place in range(1, len(written) + 1)]
        # Asked only now, so that what was committed is seen. Where a savepoint was rolled back,
        # the transaction was committed without what was written in it.
        claims = [each.settlement.claim for each, fate in zip(written, ended, strict=True) if fate]
        held = {ticket for (ticket,) in await self._link.rows(sql.HOLDING, *fences_of(claims))}
        return [
            fate and ticket_of(each.settlement.claim) not in held
            for each, fate in zip(written, ended, strict=True)
        ]

    async def _walked(self, transaction: object, steps: Steps[T], other_way: str) -> T:
        session = session_of(transaction)
        if not session.is_async:
            raise BadOption(
                f"transaction is {transaction!r:.80}, which blocks the event loop; "
                f"call {other_way} on its thread instead"
            )

        ask = partial(self._executed, session)
        self._check(await ask(*self._here()))
        return await walked(steps, ask)

    def _walked_here(self, transaction: object, steps: Steps[T], other_way: str) -> T:
        session = session_of(transaction)
        if session.is_async:
            raise BadOption(
                f"transaction is {transaction!r:.80}, which belongs to an event loop; "
                f"await {other_way} there instead of calling {other_way}_sync"
            )
        ask = partial(self._executed, session)
        self._check(ask(*self._here()))
        return walked_here(steps, ask)

    def _executed(self, session: Session, statement: str, *values: object) -> Any:
        return session.execute(self._link.text(statement), values)

    def _delivery(self, jobs: Sequence[Job]) -> Delivery:
        # All news go with the transaction: when it commits, workers know at once.
        words = [news.word for news in news_of(jobs)]
        return Delivery(jobs, self._now(), new_batch(), self._link.address.channel, words)

    def _settling(self, settlement: Settlement) -> Steps[Written | None]:
        claim, after, tally = settlement
        fences = self._now(), *fences_of([claim])
        if after is None:
            rows = yield Step(sql.SETTLE_GONE, (*fences, TALLIES[tally]))
        else:
            words = [news.word for news in news_of([after])]
            changes = tallies_of([settlement]), *changes_of([after])
            values = *fences, *changes, self._link.address.channel, words
            rows = yield Step(sql.SETTLE_KEPT, values)
        if not rows[0][0]:
            return None
        [[number]] = yield Step(sql.TRANSACTION, ())
        return Written(settlement, number)

    def _here(self) -> tuple[str, str]:
        return sql.HERE, f"{quoted(self._link.address.schema)}.jobs"

    def _check(self, rows: Rows) -> None:
        # Before the first statement that may fail: that would end the caller's transaction.
        [(name, has_jobs)] = rows
        address = self._link.address
        if address.database not in ("", name) and not address.is_pooled:
            raise BadOption(
                f"transaction is on the database {name!r}, and the jobs are in "
                f"{address.database!r}; connect to that one, or do without transaction="
            )
        if not has_jobs:
            raise BadOption(
                f"database {name!r} has no table of jobs in schema {address.schema!r}; run "
                "`atode migrate`, or check ?schema= in the URL"
            )


_COMMITTED = {"committed": True, "aborted": False, "in progress": None}
