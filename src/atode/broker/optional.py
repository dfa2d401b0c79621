"""What only some stores can do."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from atode.broker.protocol import Refused
from atode.job import Job
from atode.outcome import Settlement, Written


@runtime_checkable
class Transactional(Protocol):
    """What a store can do beside that whose jobs are in an ordinary database.

    A job is stored in a transaction of the caller's: it is there, and workers are told, when
    that commits; if it is rolled back, the job has never been. And a job that runs is completed
    in a transaction of its handler's.
    """

    async def enqueue_within(self, transaction: object, jobs: Sequence[Job]) -> Sequence[Refused]:
        """`Queue.enqueue` in the open transaction of a connection of this event loop.

        Raises:
            BadOption: it is no connection to this database, or has no transaction open.
        """
        ...

    def enqueue_within_sync(self, transaction: object, jobs: Sequence[Job]) -> Sequence[Refused]:
        """The same with a connection that blocks, on the caller's thread."""
        ...

    async def settle_within(self, transaction: object, settlement: Settlement) -> Written | None:
        """`Queue.settle` of one settlement in the open transaction of a connection of this event
        loop; None, and no effect, if its claim is not the one that holds the job (any more).

        Until the transaction ends, nobody else takes the job, whatever its lease.

        Raises:
            BadOption: as for `enqueue_within`.
        """
        ...

    def settle_within_sync(self, transaction: object, settlement: Settlement) -> Written | None:
        """The same with a connection that blocks, on the caller's thread."""
        ...

    async def committed(self, written: Sequence[Written]) -> Sequence[bool | None]:
        """Whether the transactions of these were committed; None for those that are still open.

        False means that the settlement was not written, or that it cannot be known any more.
        """
        ...


@runtime_checkable
class Migratable(Protocol):
    """A store with a schema that new versions of the library change."""

    async def migrate(self) -> Sequence[str]:
        """Bring the schema up to date; the names of the migrations that were missing."""
        ...


@runtime_checkable
class Fragile(Protocol):
    """A store that can be damaged behind everybody's back, and sees it by looking."""

    async def inspect_itself(self) -> None:
        """Look for damage, for a limited time; it is open already.

        Raises:
            BrokerRefused: it is damaged; the text says how to go on.
        """
        ...
