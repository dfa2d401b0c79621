"""The part of the contract about places that only so many jobs can take."""

import asyncio

import pytest

from atode.broker.protocol import Broker
from atode.testing.clock import FakeClock


class SemaphoreContract:
    """A part of `BrokerContract`."""

    @pytest.fixture
    def soon(self, clock: FakeClock) -> float:
        """In a minute."""
        return clock.now() + 60

    async def test_only_so_many_take_a_place(self, broker: Broker, soon: float) -> None:
        taken = [await broker.take_place("pay", name, limit=2, until=soon) for name in "abc"]

        assert taken == [True, True, False]

    async def test_a_place_that_is_given_back_is_free(self, broker: Broker, soon: float) -> None:
        await broker.take_place("pay", "a", limit=1, until=soon)

        assert await broker.free_place("pay", "a", until=soon)

        assert await broker.take_place("pay", "b", limit=1, until=soon)

    async def test_who_has_no_place_gives_none_back(self, broker: Broker, soon: float) -> None:
        await broker.take_place("pay", "a", limit=1, until=soon)

        assert not await broker.free_place("pay", "b", until=soon)
        assert not await broker.free_place("other", "a", until=soon)

        assert not await broker.take_place("pay", "b", limit=1, until=soon)

    async def test_a_refused_one_holds_nothing(self, broker: Broker, soon: float) -> None:
        await broker.take_place("pay", "a", limit=1, until=soon)
        await broker.take_place("pay", "b", limit=1, until=soon)

        assert not await broker.free_place("pay", "b", until=soon)

    async def test_a_place_is_free_when_its_time_is_over(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        until = clock.now() + 10.5
        await broker.take_place("pay", "a", limit=1, until=until)
        clock.advance(10.25)
        before = await broker.take_place("pay", "b", limit=1, until=until)

        # A second more at most: the wire of asynq has whole ones.
        clock.advance(1.25)

        assert not before
        assert await broker.take_place("pay", "b", limit=1, until=clock.now() + 10)

    async def test_a_place_whose_time_is_over_is_not_given_back(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        until = clock.now() + 10.5
        await broker.take_place("pay", "a", limit=1, until=until)
        clock.advance(12)

        assert not await broker.free_place("pay", "a", until=until)

    async def test_a_holder_comes_back_to_its_place_and_keeps_it_for_longer(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.take_place("pay", "a", limit=1, until=clock.now() + 10)

        assert await broker.take_place("pay", "a", limit=1, until=clock.now() + 60)

        clock.advance(30)
        assert not await broker.take_place("pay", "b", limit=1, until=clock.now() + 60)

    async def test_a_holder_has_one_place_however_often_it_comes(
        self, broker: Broker, soon: float
    ) -> None:
        for _ in range(3):
            await broker.take_place("pay", "a", limit=2, until=soon)

        assert await broker.take_place("pay", "b", limit=2, until=soon)
        assert await broker.free_place("pay", "a", until=soon)
        assert await broker.take_place("pay", "c", limit=2, until=soon)

    async def test_an_earlier_attempt_does_not_give_back_the_place_of_a_later_one(
        self, broker: Broker, soon: float
    ) -> None:
        await broker.take_place("pay", "a", limit=1, until=soon)
        await broker.take_place("pay", "a", limit=1, until=soon + 30)

        assert not await broker.free_place("pay", "a", until=soon)

        assert not await broker.take_place("pay", "b", limit=1, until=soon)
        assert await broker.free_place("pay", "a", until=soon + 30)

    async def test_who_allows_fewer_is_refused_and_who_allows_more_is_not(
        self, broker: Broker, soon: float
    ) -> None:
        for name in "ab":
            await broker.take_place("pay", name, limit=2, until=soon)

        assert not await broker.take_place("pay", "c", limit=1, until=soon)
        assert await broker.take_place("pay", "a", limit=1, until=soon)
        assert await broker.take_place("pay", "c", limit=3, until=soon)

    async def test_scopes_are_apart(self, broker: Broker, soon: float) -> None:
        assert await broker.take_place("pay", "a", limit=1, until=soon)
        assert await broker.take_place("支払い {1}", "b", limit=1, until=soon)
        assert not await broker.take_place("支払い {1}", "a", limit=1, until=soon)
        assert await broker.take_place("pay{}", "a", limit=1, until=soon)

    async def test_many_at_once_get_no_more_places_than_there_are(
        self, broker: Broker, soon: float
    ) -> None:
        siblings = [broker.sibling() for _ in range(4)]

        taken = await asyncio.gather(
            *(
                sibling.take_place("pay", f"{n}-{m}", limit=7, until=soon)
                for n, sibling in enumerate(siblings)
                for m in range(10)
            )
        )
        for sibling in siblings:
            await sibling.close()

        assert sum(taken) == 7
