"""The part of the contract about workers that are made larger or smaller from elsewhere."""

import pytest

from atode.broker.protocol import Broker
from atode.presence import Presence, Running
from atode.size import Wish
from atode.testing.clock import FakeClock


class SizeContract:
    """A part of `BrokerContract`."""

    @pytest.fixture
    def presence(self, clock: FakeClock) -> Presence:
        running = Running("j1", "支払い", "default", b"\0\xff", clock.now(), 0.0)
        return Presence(
            *("h:1:a", "h", 1, 20, {"default": 1}, False, "active"), clock.now(), (running,), 1
        )

    async def test_a_worker_of_which_nobody_wishes_anything_is_told_nothing(
        self, broker: Broker, presence: Presence
    ) -> None:
        told = [await broker.beat(presence, lifetime=10) for _ in range(2)]

        assert told == [None, None]

    async def test_a_worker_is_told_a_wish_until_it_leaves(
        self, broker: Broker, presence: Presence
    ) -> None:
        await broker.beat(presence, lifetime=10)
        wish = Wish.of(50)

        assert await broker.resize("h:1:a", wish)

        told = [await broker.beat(presence, lifetime=10) for _ in range(2)]
        await broker.leave(presence)
        afterwards = await broker.beat(presence, lifetime=10)
        assert (told, afterwards) == ([wish, wish], None)

    async def test_the_last_wish_counts(self, broker: Broker, presence: Presence) -> None:
        await broker.beat(presence, lifetime=10)
        first, last = Wish.of(50), Wish.of(5)

        await broker.resize("h:1:a", first)
        await broker.resize("h:1:a", last)

        assert await broker.beat(presence, lifetime=10) == last

    async def test_a_wish_is_for_one_worker_and_changes_nothing_that_is_shown(
        self, broker: Broker, presence: Presence
    ) -> None:
        other = presence._replace(worker="h:1:b")
        for each in (presence, other):
            await broker.beat(each, lifetime=10)

        await broker.resize("h:1:a", Wish.of(50))

        shown = await broker.workers()
        assert await broker.beat(other, lifetime=10) is None
        assert sorted(shown) == [presence, other]
        await broker.beat(presence, lifetime=10)
        assert sorted(await broker.workers()) == [presence, other]

    async def test_who_does_not_live_cannot_be_wished_anything(
        self, broker: Broker, presence: Presence
    ) -> None:
        never = await broker.resize("h:1:a", Wish.of(50))
        await broker.beat(presence, lifetime=10)
        await broker.leave(presence)
        left = await broker.resize("h:1:a", Wish.of(50))

        assert (never, left) == (False, False)
        assert await broker.beat(presence, lifetime=10) is None

    async def test_a_wish_is_heard_by_way_of_any_sibling(
        self, broker: Broker, presence: Presence
    ) -> None:
        await broker.beat(presence, lifetime=10)
        sibling = broker.sibling()
        wish = Wish.of(50)

        assert await sibling.resize("h:1:a", wish)
        await sibling.close()

        assert await broker.beat(presence, lifetime=10) == wish
