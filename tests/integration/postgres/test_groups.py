"""Groups in PostgreSQL, where the contract does not see them."""

import pytest

from atode.broker.postgres.broker import PostgresBroker
from atode.clock import SystemClock
from atode.errors import BrokerRefused
from atode.job import State
from atode.testing.jobs import a_job, ids
from tests.integration.postgres.stage import Ask, under_way, waiting


class EarlyClock(SystemClock):
    """An hour ahead of everybody's, yet a machine's own."""

    def now(self) -> float:
        return super().now() + 3600


async def test_a_worker_with_a_wrong_clock_makes_its_batches_no_earlier(
    broker: PostgresBroker, postgres_url: str
) -> None:
    clock = EarlyClock()
    early = PostgresBroker(postgres_url, clock)
    await broker.enqueue([a_job(group="g")])

    [seen] = await early.groups(["default"])
    await early.close()

    assert abs(seen.oldest - clock.now()) < 600
    assert seen.oldest == seen.newest


async def test_a_group_may_have_a_name_that_postgresql_cannot_keep(broker: PostgresBroker) -> None:
    name = "a\0b\\0c"
    await broker.enqueue([a_job(id="1", group=name), a_job(id="2", group="a\\0b\0c")])

    [members] = [await broker.members("default", name, limit=9)]

    assert {group.name for group in await broker.groups(["default"])} == {name, "a\\0b\0c"}
    assert [member.job.group for member in members] == [name]
    assert await broker.release("default", name, members) == 1


async def test_a_merge_waits_for_whoever_is_at_a_member_just_then(
    broker: PostgresBroker, postgres_url: str, ask: Ask
) -> None:
    await broker.enqueue([a_job(id="a", group="g"), a_job(id="b", group="g")])
    members = await broker.members("default", "g", limit=9)

    async with under_way(postgres_url, "DELETE FROM jobs WHERE name = 'b'") as transaction:
        merging = await waiting(broker.merge("default", "g", members, [a_job(id="batch")]), ask)
        await transaction.commit()

    assert not await merging
    found = await broker.find("default", State.AGGREGATING)
    assert (ids(found), await broker.get("default", "batch")) == (["a"], None)


async def test_a_batch_whose_id_is_taken_leaves_its_members_as_they_were(
    broker: PostgresBroker, ask: Ask
) -> None:
    await broker.enqueue([a_job(id="taken"), a_job(id="a", group="g", unique_for=60)])
    members = await broker.members("default", "g", limit=9)

    with pytest.raises(BrokerRefused, match="'taken', a batch of queue 'default', is stored"):
        await broker.merge("default", "g", members, [a_job(id="new"), a_job(id="taken")])

    assert [m.job.id for m in await broker.members("default", "g", limit=9)] == ["a"]
    assert ask("SELECT count(*) FROM job_locks") == "1"
    assert await broker.get("default", "new") is None
    assert await broker.merge("default", "g", members, [a_job(id="new")])
