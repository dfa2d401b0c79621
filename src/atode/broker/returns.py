"""Claims whose caller has gone meanwhile, and that go back."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from atode.errors import BrokerError
from atode.job import Claim
from atode.outcome import Settlement, released

Settle = Callable[[Sequence[Settlement]], Awaitable[object]]


class Returns:
    """What is on its way back to a store. `settle` is the store's, in every call."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[None]] = set()

    async def unless_kept(
        self, taking: Coroutine[Any, Any, Sequence[Claim]], settle: Settle
    ) -> Sequence[Claim]:
        """What `taking` claims; a caller that is cancelled gets nothing, and that goes back."""
        task = asyncio.create_task(taking)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self.begin(task, settle)
            raise

    def begin(self, taking: Awaitable[Sequence[Claim]], settle: Settle) -> None:
        """Give back what `taking` claims, as soon as it has."""
        self._under_way.add(task := asyncio.create_task(_give_back(taking, settle)))
        task.add_done_callback(self._under_way.discard)

    async def over(self) -> None:
        """Wait until nothing is on its way any more."""
        if self._under_way:
            await asyncio.wait(self._under_way)


async def _give_back(taking: Awaitable[Sequence[Claim]], settle: Settle) -> None:
    # If this fails too, the lease runs out and the jobs are reaped: late, but not lost.
    with suppress(BrokerError):
        await settle([released(claim) for claim in await taking])
