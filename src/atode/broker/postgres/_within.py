"""Enqueue in the caller's transaction: the job is there when it commits, and never otherwise."""

from collections.abc import Sequence
from typing import Any

from atode.broker.postgres import _statements as sql
from atode.broker.postgres._enqueue import Delivery, Step, new_batch, news_of, storing, walked
from atode.broker.postgres._link import Rows
from atode.broker.postgres._schema import quoted
from atode.broker.postgres._store import Store
from atode.broker.postgres._transaction import Session, session_of
from atode.broker.protocol import Refused
from atode.errors import BadOption
from atode.job import Job


class Within(Store):
    """Stores jobs through connections of other libraries. Nothing of ours is connected for it."""

    async def enqueue_within(self, transaction: object, jobs: Sequence[Job]) -> Sequence[Refused]:
        """Store new jobs in the open transaction of an asynchronous connection."""
        session = session_of(transaction)
        if not session.is_async:
            raise BadOption(
                f"transaction is {transaction!r:.80}, which blocks the event loop; "
                "call enqueue_sync on its thread instead"
            )

        async def ask(step: Step) -> Rows:
            rows: Rows = await self._executed(session, step)
            return rows

        self._check(await ask(self._here()))
        return await walked(storing(self._delivery(jobs)), ask)

    def enqueue_within_sync(self, transaction: object, jobs: Sequence[Job]) -> Sequence[Refused]:
        """Store new jobs in the open transaction of a connection, on the caller's thread."""
        session = session_of(transaction)
        if session.is_async:
            raise BadOption(
                f"transaction is {transaction!r:.80}, which belongs to an event loop; "
                "await enqueue there instead of calling enqueue_sync"
            )
        self._check(self._executed(session, self._here()))
        steps = storing(self._delivery(jobs))
        try:
            step = next(steps)
            while step:
                step = steps.send(self._executed(session, step))
        except StopIteration as end:
            refused: list[Refused] = end.value
            return refused
        raise AssertionError("steps end by returning")

    def _executed(self, session: Session, step: Step) -> Any:
        return session.execute(self._link.text(step.statement), step.values)

    def _delivery(self, jobs: Sequence[Job]) -> Delivery:
        # All news go with the transaction: when it commits, workers know at once.
        words = [news.word for news in news_of(jobs)]
        return Delivery(jobs, self._now(), new_batch(), self._link.address.channel, words)

    def _here(self) -> Step:
        return Step(sql.HERE, (f"{quoted(self._link.address.schema)}.jobs",))

    def _check(self, rows: Rows) -> None:
        # Before the first statement that may fail: that would end the caller's transaction.
        [(name, has_jobs)] = rows
        address = self._link.address
        if address.database not in ("", name) and not address.is_pooled:
            raise BadOption(
                f"transaction is on the database {name!r}, and the jobs are in "
                f"{address.database!r}; connect to that one, or enqueue without transaction="
            )
        if not has_jobs:
            raise BadOption(
                f"database {name!r} has no table of jobs in schema {address.schema!r}; run "
                "`atode migrate`, or check ?schema= in the URL"
            )
