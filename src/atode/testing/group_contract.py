"""The part of the contract about jobs that wait in groups."""

import asyncio
from collections.abc import Sequence

import pytest

from atode.broker.protocol import Broker
from atode.group import Group, Member
from atode.job import Job, State
from atode.outcome import Failed, Succeeded
from atode.testing.clock import FakeClock
from atode.testing.jobs import a_job, end, ids, take


class GroupContract:
    """A part of `BrokerContract`."""

    # joining

    async def test_a_job_with_a_group_waits_in_it(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="a", group="g")])

        counts = await broker.counts("default")
        stored = await broker.get("default", "a")

        assert await take(broker) == []
        assert (counts[State.AGGREGATING], sum(counts.values())) == (1, 1)
        assert stored == a_job(id="a", group="g")._replace(unique_for=0.0)
        assert list(await broker.queues()) == ["default"]

    async def test_groups_tell_how_they_stand(self, broker: Broker, clock: FakeClock) -> None:
        began = clock.now()
        await broker.enqueue([a_job(group="g"), a_job(group="h"), a_job("mail", group="g")])
        clock.advance(3)
        await broker.enqueue([a_job(group="g")])

        groups = await broker.groups(["default", "mail", "never-heard-of"])

        assert sorted(groups) == [
            Group("default", "g", 2, began, began + 3, "demo"),
            Group("default", "h", 1, began, began, "demo"),
            Group("mail", "g", 1, began, began, "demo"),
        ]

    async def test_without_members_there_is_no_group(self, broker: Broker) -> None:
        await broker.enqueue([a_job()])

        assert list(await broker.groups(["default"])) == []
        assert list(await broker.members("default", "g", limit=9)) == []

    async def test_a_group_may_have_any_name(self, broker: Broker) -> None:
        names = ["mail:digest:user:7", "あとで", "{brace}", " a\nb ", "'--", "*?[x]"]
        await broker.enqueue([a_job(id=name, group=name) for name in names])

        groups = await broker.groups(["default"])

        assert sorted(group.name for group in groups) == sorted(names)
        for name in names:
            assert _ids(await broker.members("default", name, limit=9)) == [name]
            assert await broker.delete("default", [name]) == 1

    async def test_members_come_as_they_joined(self, broker: Broker, clock: FakeClock) -> None:
        for number in (3, 1, 2):
            await broker.enqueue([a_job(id=f"m{number}", group="g")])
            clock.advance(1)
        await broker.enqueue([a_job(id="other", group="h")])

        assert _ids(await broker.members("default", "g", limit=2)) == ["m3", "m1"]
        assert _ids(await broker.members("default", "g", limit=9)) == ["m3", "m1", "m2"]

    async def test_a_member_comes_whole(self, broker: Broker) -> None:
        job = a_job(payload='{"text":"あとで"}'.encode(), retention=5, unique_for=60, group="g")
        await broker.enqueue([job])

        [member] = await broker.members("default", "g", limit=1)

        assert member.job == job._replace(unique_for=0.0)

    async def test_large_members_come_in_parts(self, broker: Broker) -> None:
        large = [a_job(payload=b"x" * 1_000_000, group="g") for _ in range(4)]
        await broker.enqueue(large)

        members = await broker.members("default", "g", limit=9)

        assert ids(large)[: len(members)] == _ids(members)
        assert len(members) >= 1

    async def test_more_members_than_fit_into_one_look(self, broker: Broker) -> None:
        jobs = [a_job(id=f"m{number:04}", group="g") for number in range(1234)]
        await broker.enqueue(jobs)

        assert _ids(await broker.members("default", "g", limit=1200)) == ids(jobs[:1200])

    async def test_more_groups_than_fit_into_one_look(self, broker: Broker) -> None:
        await broker.enqueue([a_job(group=f"g{number}") for number in range(1234)])

        groups = await broker.groups(["default"])

        assert {group.name for group in groups} == {f"g{number}" for number in range(1234)}
        assert len(groups) == 1234

    async def test_an_id_that_is_taken_is_refused(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="pending"), a_job(id="member", group="g")])

        refused = await broker.enqueue(
            [
                a_job(id="pending", group="g"),
                a_job(id="member", group="h"),
                a_job(id="twice", group="g"),
                a_job(id="twice", group="g"),
            ]
        )
        also = await broker.enqueue([a_job(id="member")])

        assert ids([*refused, *also]) == ["pending", "member", "twice", "member"]
        assert _ids(await broker.members("default", "g", limit=9)) == ["member", "twice"]

    async def test_the_first_of_those_in_each_others_way_is_stored_whatever_its_kind(
        self, broker: Broker
    ) -> None:
        jobs = [
            a_job(id="m", group="g"),
            a_job(id="a", payload=b"plain"),
            a_job(id="a", group="g"),
            a_job(id="b", payload=b"lock", unique_for=60),
            a_job(id="c", payload=b"lock", unique_for=60, group="g"),
        ]

        refused = await broker.enqueue(jobs)

        assert sorted((each.job.id, each.holder) for each in refused) == [("a", "a"), ("c", "b")]
        assert ids(await take(broker)) == ["a", "b"]

    async def test_one_call_may_mix_members_and_others(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        jobs = [a_job(id="now"), a_job(id="member", group="g"), a_job(due=clock.now() + 9)]
        await broker.enqueue(jobs)

        counts = await broker.counts("default")

        states = (State.PENDING, State.AGGREGATING, State.SCHEDULED)
        assert [counts[state] for state in states] == [1, 1, 1]

    # delays

    async def test_a_delayed_job_joins_at_its_instant(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        due = clock.now() + 60
        await broker.enqueue([a_job(id="late", due=due, group="g")])
        before = await broker.get("default", "late")
        clock.advance(60)

        await broker.promote(["default"])

        assert before is not None
        assert (before.state, before.due, before.group) == (State.SCHEDULED, due, "g")
        assert await take(broker) == []
        assert list(await broker.groups(["default"])) == [
            Group("default", "g", 1, due, due, "demo")
        ]

    async def test_who_waits_for_due_jobs_hears_of_a_member(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.promote(["default"])
        waiting = asyncio.ensure_future(broker.wait_due(["default"], until=None))
        await asyncio.sleep(0.1)

        await broker.enqueue([a_job(due=clock.now() + 0.25, group="g")])

        await asyncio.wait_for(waiting, 10)

    async def test_a_retry_does_not_join_again(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(id="a", group="g")])
        await broker.run("default", ["a"])
        [claim] = await take(broker)
        await end(broker, claim, Failed("x"), clock)
        clock.advance(60)

        await broker.promote(["default"])

        assert list(await broker.groups(["default"])) == []
        [again] = await take(broker)
        assert (again.job.id, again.job.group, again.job.retried) == ("a", "g", 1)

    # merging

    async def test_members_become_one_job(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id=name, group="g") for name in "abc"])
        members = await broker.members("default", "g", limit=2)
        batch = a_job(id="batch", payload=b'{"items":[1,2]}')

        assert await broker.merge("default", "g", members, [batch])

        [claim] = await take(broker)
        assert claim.job == batch._replace(state=State.ACTIVE)
        assert await broker.get("default", "a") is None
        assert _ids(await broker.members("default", "g", limit=9)) == ["c"]

    async def test_the_last_members_take_the_group_along(self, broker: Broker) -> None:
        await broker.enqueue([a_job(group="g"), a_job(group="g")])
        members = await broker.members("default", "g", limit=9)

        assert await broker.merge("default", "g", members, [a_job(id="one"), a_job(id="two")])

        assert list(await broker.groups(["default"])) == []
        assert ids(await take(broker)) == ["one", "two"]

    async def test_ten_thousand_members_become_one_job(self, broker: Broker) -> None:
        await broker.enqueue([a_job(payload=b"1", group="g") for _ in range(10_000)])
        members = await broker.members("default", "g", limit=10_000)

        assert len(members) == 10_000
        assert await broker.merge("default", "g", members, [a_job(id="batch")])

        counts = await broker.counts("default")
        assert (counts[State.PENDING], counts[State.AGGREGATING]) == (1, 0)

    async def test_a_merge_wakes_who_waits(self, broker: Broker) -> None:
        await broker.enqueue([a_job(group="g")])
        waiting = asyncio.ensure_future(broker.wait(["default"], at_most=60))
        await asyncio.sleep(0.1)
        assert not waiting.done()

        members = await broker.members("default", "g", limit=9)
        await broker.merge("default", "g", members, [a_job()])

        await asyncio.wait_for(waiting, 10)

    @pytest.mark.parametrize("taken", ["run", "archive", "delete", "cancel"])
    async def test_a_merge_without_all_its_members_does_nothing(
        self, broker: Broker, taken: str
    ) -> None:
        await broker.enqueue([a_job(id=name, group="g", unique_for=60) for name in "a"])
        await broker.enqueue([a_job(id="b", group="g")])
        members = await broker.members("default", "g", limit=9)
        await getattr(broker, taken)("default", ["b"])

        assert not await broker.merge("default", "g", members, [a_job(id="batch")])

        assert await broker.get("default", "batch") is None
        assert _ids(await broker.members("default", "g", limit=9)) == ["a"]
        refused = await broker.enqueue([a_job(unique_for=60)])
        assert [refusal.holder for refusal in refused] == ["a"]

    async def test_a_merge_knows_a_member_from_its_successor(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="a", payload=b"1", group="g")])
        members = await broker.members("default", "g", limit=9)
        await broker.delete("default", ["a"])
        await broker.enqueue([a_job(id="a", payload=b"2", group="g")])

        assert not await broker.merge("default", "g", members, [a_job(id="batch")])
        assert not await broker.release("default", "g", members)

        [member] = await broker.members("default", "g", limit=9)
        assert member.job.payload == b"2"

    async def test_a_member_of_another_group_is_none_of_this(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="a", group="g"), a_job(id="b", group="h")])
        members = await broker.members("default", "g", limit=9)

        assert not await broker.merge("default", "h", members, [a_job(id="batch")])
        assert not await broker.release("default", "h", members)

        assert len(await broker.groups(["default"])) == 2

    async def test_a_repeated_merge_stores_nothing_twice(self, broker: Broker) -> None:
        await broker.enqueue([a_job(group="g") for _ in range(3)])
        members = await broker.members("default", "g", limit=2)
        batch = a_job(id="batch")

        answers = [await broker.merge("default", "g", members, [batch]) for _ in range(2)]

        assert answers == [True, True]
        assert ids(await take(broker)) == ["batch"]
        counts = await broker.counts("default")
        assert (counts[State.PENDING], counts[State.AGGREGATING]) == (0, 1)

    async def test_of_two_that_merge_the_same_one_does(self, broker: Broker) -> None:
        await broker.enqueue([a_job(group="g") for _ in range(5)])
        members = await broker.members("default", "g", limit=9)

        answers = await asyncio.gather(
            *(broker.merge("default", "g", members, [a_job(id=f"b{n}")]) for n in range(4))
        )

        assert sorted(answers) == [False, False, False, True]
        assert len(await take(broker)) == 1

    async def test_a_merge_counts_nothing(self, broker: Broker) -> None:
        await _merged(broker, a_job(group="g"))

        stats = await broker.stats("default")

        assert stats is not None
        assert (stats.processed, stats.failed, stats.size) == (0, 0, 1)

    # releasing

    async def test_a_released_member_runs_alone(self, broker: Broker, clock: FakeClock) -> None:
        await broker.enqueue([a_job(id=name, group="g", unique_for=60) for name in "a"])
        await broker.enqueue([a_job(id="b", group="g"), a_job(id="c")])
        members = await broker.members("default", "g", limit=1)

        assert await broker.release("default", "g", members) == 1
        assert await broker.release("default", "g", members) == 0

        other, alone = await take(broker)
        assert (other.job.id, alone.job.id, alone.job.group) == ("c", "a", "g")
        assert alone.job.payload == a_job().payload
        assert [r.holder for r in await broker.enqueue([a_job(unique_for=60)])] == ["a"]
        await end(broker, alone, Succeeded(), clock)
        assert list(await broker.enqueue([a_job(unique_for=60)])) == []
        assert _ids(await broker.members("default", "g", limit=9)) == ["b"]

    async def test_a_delayed_member_that_is_released_is_not_late(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(due=clock.now() + 1, group="g")])
        clock.advance(60)
        await broker.promote(["default"])

        await broker.release("default", "g", await broker.members("default", "g", limit=9))

        [claim] = await take(broker)
        assert claim.job.due == 0

    # unique members

    async def test_a_second_member_that_does_the_same_is_refused(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="first", unique_for=60, group="g")])

        refused = await broker.enqueue(
            [a_job(unique_for=60, group="g"), a_job(unique_for=60, group="h")]
        )
        also = await broker.enqueue([a_job(unique_for=60)])

        assert [refusal.holder for refusal in (*refused, *also)] == ["first"] * 3
        assert len(await broker.members("default", "g", limit=9)) == 1

    async def test_a_merge_unlocks_what_its_members_have_locked(self, broker: Broker) -> None:
        await _merged(broker, a_job(id="first", unique_for=60, group="g"))

        assert list(await broker.enqueue([a_job(unique_for=60, group="g")])) == []

    async def test_a_member_that_is_deleted_unlocks(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="first", unique_for=60, group="g")])

        await broker.delete("default", ["first"])

        assert list(await broker.enqueue([a_job(unique_for=60, group="g")])) == []

    async def test_the_lock_of_a_delayed_member_outlasts_its_delay(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="late", due=clock.now() + 100, unique_for=50, group="g")])
        clock.advance(120)
        await broker.promote(["default"])

        refused = await broker.enqueue([a_job(unique_for=1, group="g")])

        assert [refusal.holder for refusal in refused] == ["late"]

    # operators

    async def test_members_are_listed_as_they_joined(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        expected: list[str] = []
        for number in range(6):
            expected.append(f"m{9 - number}")
            await broker.enqueue([a_job(id=expected[-1], group="gh"[number % 2])])
            clock.advance(1)

        first = await broker.find("default", State.AGGREGATING, limit=4)
        rest = await broker.find("default", State.AGGREGATING, offset=4, limit=4)
        beyond = await broker.find("default", State.AGGREGATING, offset=6, limit=4)

        assert ids([*first, *rest, *beyond]) == expected
        assert [job.group for job in first] == ["g", "h", "g", "h"]
        assert {job.state for job in first} == {State.AGGREGATING}

    async def test_members_can_be_run(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id=name, group="g") for name in "abc"])

        assert await broker.run("default", ["b", "a", "missing"]) == 2
        assert ids(await take(broker)) == ["b", "a"]
        assert await broker.run("default", State.AGGREGATING) == 1
        assert ids(await take(broker)) == ["c"]
        assert list(await broker.groups(["default"])) == []

    async def test_members_can_be_archived(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id=name, group=name) for name in "abc"])

        assert await broker.archive("default", ["b"]) == 1
        assert await broker.archive("default", State.AGGREGATING) == 2

        assert list(await broker.groups(["default"])) == []
        found = await broker.find("default", State.ARCHIVED)
        assert {(job.id, job.group) for job in found} == {(name, name) for name in "abc"}

    async def test_members_can_be_cancelled(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id=name, group=name) for name in "abc"])

        assert await broker.cancel("default", ["b"]) == 1
        assert await broker.cancel("default", State.AGGREGATING) == 2

        assert list(await broker.groups(["default"])) == []
        found = await broker.find("default", State.ARCHIVED)
        assert {(job.id, job.group, bool(job.error)) for job in found} == {
            (name, name, True) for name in "abc"
        }

    async def test_an_archived_member_that_is_run_runs_alone(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="a", group="g")])
        await broker.archive("default", ["a"])

        await broker.run("default", ["a"])

        [claim] = await take(broker)
        assert (claim.job.id, claim.job.group) == ("a", "g")

    async def test_members_can_be_deleted(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id=name, group=name) for name in "abc"])

        assert await broker.delete("default", ["b"]) == 1
        assert await broker.delete("default", State.AGGREGATING) == 2

        assert list(await broker.groups(["default"])) == []
        assert await broker.get("default", "a") is None

    async def test_a_delayed_member_can_be_run_at_once(
        self, broker: Broker, clock: FakeClock
    ) -> None:
        await broker.enqueue([a_job(id="late", due=clock.now() + 60, group="g")])

        assert await broker.run("default", ["late"]) == 1

        assert ids(await take(broker)) == ["late"]

    async def test_a_queue_is_removed_with_its_groups(self, broker: Broker) -> None:
        await broker.enqueue([a_job(id="a", group="g", unique_for=60)])

        assert not await broker.remove("default")
        assert await broker.remove("default", force=True)

        assert list(await broker.groups(["default"])) == []
        assert list(await broker.enqueue([a_job(id="a", group="g", unique_for=60)])) == []

    async def test_stats_count_members(self, broker: Broker) -> None:
        await broker.enqueue([a_job(group="g"), a_job(group="h"), a_job()])

        stats = await broker.stats("default")

        assert stats is not None
        assert (stats.size, stats.counts[State.AGGREGATING]) == (3, 2)


def _ids(members: Sequence[Member]) -> list[str]:
    return [member.job.id for member in members]


async def _merged(broker: Broker, member: Job) -> None:
    await broker.enqueue([member])
    members = await broker.members(member.queue, member.group, limit=9)
    assert await broker.merge(member.queue, member.group, members, [a_job(member.queue)])
