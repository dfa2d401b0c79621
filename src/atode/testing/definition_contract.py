"""The part of the contract about what is stored of schedules."""

import asyncio

from atode.broker.protocol import Broker
from atode.schedule import Definition, Definitions
from atode.testing.clock import FakeClock


class DefinitionContract:
    """A part of `BrokerContract`."""

    async def test_at_first_nothing_is_defined(self, broker: Broker) -> None:
        assert await broker.definitions() == Definitions(0, [])
        assert await broker.definitions(since=0) is None

    async def test_a_definition_is_found_with_its_version(self, broker: Broker) -> None:
        second = await broker.define("週報 {1}", '{"a": "b c"}', version=0)
        first = await broker.define("nightly", "any text\nat all", version=0)

        assert await broker.definitions() == Definitions(
            2,
            [
                Definition("nightly", first or 0, "any text\nat all"),
                Definition("週報 {1}", second or 0, '{"a": "b c"}'),
            ],
        )

    async def test_a_definition_takes_the_place_of_the_version_that_was_read(
        self, broker: Broker
    ) -> None:
        old = await broker.define("nightly", "old", version=0) or 0

        new = await broker.define("nightly", "new", version=old) or 0

        assert new > old
        assert await broker.definitions() == Definitions(new, [Definition("nightly", new, "new")])

    async def test_who_has_read_another_version_writes_nothing(self, broker: Broker) -> None:
        old = await broker.define("nightly", "old", version=0) or 0
        new = await broker.define("nightly", "new", version=old) or 0

        assert await broker.define("nightly", "mine", version=old) is None
        assert await broker.define("nightly", "mine", version=0) is None
        assert await broker.define("weekly", "mine", version=new) is None
        assert not await broker.undefine("nightly", version=old)

        assert await broker.definitions() == Definitions(new, [Definition("nightly", new, "new")])

    async def test_of_many_who_change_the_same_version_one_does(self, broker: Broker) -> None:
        siblings = [broker.sibling() for _ in range(3)]
        answers = await asyncio.gather(
            *(
                sibling.define("nightly", f"body {n}-{m}", version=0)
                for n, sibling in enumerate(siblings)
                for m in range(5)
            )
        )
        for sibling in siblings:
            await sibling.close()

        assert [answer for answer in answers if answer is not None] == [1]

    async def test_a_repeated_call_answers_as_the_first_one(self, broker: Broker) -> None:
        made = await broker.define("nightly", "body", version=0)

        assert await broker.define("nightly", "body", version=0) == made

        found = await broker.definitions()
        assert found
        assert found.revision == made

    async def test_a_removed_definition_is_gone_and_its_version_never_comes_again(
        self, broker: Broker
    ) -> None:
        version = await broker.define("nightly", "body", version=0) or 0

        assert await broker.undefine("nightly", version=version)

        assert not await broker.undefine("nightly", version=version)
        assert await broker.definitions() == Definitions(version + 1, [])
        assert await broker.define("nightly", "body", version=0) == version + 2

    async def test_nothing_is_told_while_the_revision_is_the_same(self, broker: Broker) -> None:
        version = await broker.define("nightly", "body", version=0)

        assert await broker.definitions(since=version) is None
        assert await broker.definitions(since=0) is not None

    async def test_who_waits_is_woken_by_a_change(self, broker: Broker, clock: FakeClock) -> None:
        sibling = broker.sibling()
        await sibling.definitions()
        revision = 0
        for body in ("one", "two"):
            waiting = asyncio.create_task(self._changed(sibling, revision, clock.now() + 3600))
            await asyncio.sleep(0.05)

            await broker.define("nightly", body, version=revision)

            found = await asyncio.wait_for(waiting, 10)
            assert [each.body for each in found.found] == [body]
            revision = found.revision
        await sibling.close()

    async def test_who_waits_wakes_at_the_instant(self, broker: Broker, clock: FakeClock) -> None:
        waiting = asyncio.create_task(self._passed(broker, clock, clock.now() + 10))
        await asyncio.sleep(0.05)
        assert not waiting.done()

        clock.advance(10)

        await asyncio.wait_for(waiting, 10)

    async def test_who_has_not_seen_the_last_change_does_not_wait(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.define("nightly", "body", version=0)

        await asyncio.wait_for(self._changed(broker, 0, clock.now() + 3600), 10)

    @staticmethod
    async def _changed(broker: Broker, revision: int, until: float) -> Definitions:
        """What there is once the revision is another one; a wait may end without a reason."""
        while (found := await broker.definitions(since=revision)) is None:
            await broker.wait_defined(revision, until=until)
        return found

    @staticmethod
    async def _passed(broker: Broker, clock: FakeClock, instant: float) -> None:
        while clock.now() < instant:
            await broker.wait_defined(0, until=instant)
