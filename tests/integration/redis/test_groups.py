"""Groups as asynq keeps them: every key after each operation, and what Go programs leave behind.

Sections 7.4, 7.5 and 9 of the protocol, traps 9 and 10. What differs from asynq on purpose: the
hash of a delayed member tells its group, that of a unique one its lock, and merging releases it.
"""

from collections.abc import Callable
from hashlib import sha1

import pytest

from atode.broker.redis.broker import RedisBroker
from atode.broker.redis.keys import unique_key
from atode.broker.redis.wire import TaskMessage
from atode.errors import BrokerRefused
from atode.group import Group, Member
from atode.job import Job, State
from atode.outcome import Failed
from atode.testing.clock import FakeClock
from tests.integration.redis.stage import (
    JOB,
    NOW_NS,
    START,
    WORKER,
    a_job,
    a_message,
    end,
    stored,
)
from tests.servers.redis_store import GoPeer, RedisStore

LOCK = unique_key("mail", "mail:send", b'{"n":1}')
UNIQUE = LOCK.removeprefix("asynq:{mail}:unique:")
IN_GROUP = {"msg": a_message(group_key="g"), "state": "aggregating", "group": "g"}


@pytest.fixture
def go(redis_store: RedisStore) -> GoPeer:
    return GoPeer(redis_store, "mail")


def a_member(id: str = "j1", **fields: object) -> Job:
    job: Job = a_job(state=State.AGGREGATING, group="g")._replace(id=id)
    return job._replace(**fields)  # type: ignore[arg-type]


def a_batch() -> Job:
    return a_job()._replace(id="batch", payload=b'{"items":[{"n":1}]}')


def batch_message() -> TaskMessage:
    return a_message(id="batch", payload=b'{"items":[{"n":1}]}')


async def joined(broker: RedisBroker, *jobs: Job) -> list[Member]:
    assert await broker.enqueue(jobs or [a_member()]) == []
    return list(await broker.members("mail", "g", limit=99))


# the format


async def test_add_to_group(broker: RedisBroker, redis_store: RedisStore) -> None:
    await broker.enqueue([a_member()])

    found = stored(groups={"g"}, job=IN_GROUP) | {"asynq:{mail}:g:g": {"j1": float(START)}}
    assert redis_store.dump() == found
    assert redis_store.expiring() == {}


async def test_add_to_group_unique(broker: RedisBroker, redis_store: RedisStore) -> None:
    await broker.enqueue([a_member(unique=UNIQUE, unique_for=60.0)])

    assert redis_store.dump() == stored(
        groups={"g"},
        job={
            **IN_GROUP,
            "msg": a_message(group_key="g", unique_key=LOCK),
            "unique_key": LOCK,
        },
    ) | {"asynq:{mail}:g:g": {"j1": float(START)}, LOCK: "j1"}
    assert 58 <= redis_store.expiring()[LOCK] <= 60


async def test_schedule_with_a_group(broker: RedisBroker, redis_store: RedisStore) -> None:
    await broker.enqueue([a_member(state=State.SCHEDULED, due=START + 60.125)])

    assert redis_store.dump() == stored(
        scheduled={"j1": START + 61.0},
        visits={f"{START + 61}:g": START + 61.0},
        job={
            "msg": a_message(group_key="g"),
            "state": "scheduled",
            "group": "g",
            "due": "1900000060.125",
        },
    )


async def test_forward_into_a_group(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await broker.enqueue([a_member(state=State.SCHEDULED, due=START + 60.0)])
    clock.advance(60)

    await broker.promote(["mail"])

    found = stored(groups={"g"}, job=IN_GROUP, visits={f"{START + 60}:g": START + 60.0})
    assert redis_store.dump() == found | {"asynq:{mail}:g:g": {"j1": START + 60.0}}
    # Two minutes later no Go server can have been slower.
    clock.advance(120)
    await broker.prune(["mail"])
    assert "asynq:{mail}:visits" not in redis_store.dump()


async def test_a_key_that_is_no_group_holds_up_no_other_job(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    due = START + 60.0
    await broker.enqueue([a_member(state=State.SCHEDULED, due=due)])
    await broker.enqueue([a_member("free", group="", state=State.SCHEDULED, due=due)])
    redis_store.do("SET", "asynq:{mail}:g:g", "not what it should be")
    clock.advance(60)

    await broker.promote(["mail"])

    assert [job.id for job in await broker.find("mail", State.SCHEDULED, limit=9)] == ["j1"]
    assert [job.id for job in await broker.find("mail", State.PENDING, limit=9)] == ["free"]


async def test_merge(broker: RedisBroker, redis_store: RedisStore) -> None:
    members = await joined(broker, a_member(), a_member("j2", unique=UNIQUE, unique_for=60.0))

    await broker.merge("mail", "g", members, [a_batch()])

    assert redis_store.dump() == stored(pending=["batch"]) | {
        "asynq:{mail}:t:batch": {
            "msg": batch_message(),
            "state": "pending",
            "pending_since": NOW_NS,
        }
    }


async def test_a_merge_of_some(broker: RedisBroker, redis_store: RedisStore) -> None:
    members = await joined(broker, a_member("j0"), a_member())

    await broker.merge("mail", "g", members[:1], [a_batch()])

    found = redis_store.dump()
    assert found.pop("asynq:{mail}:t:batch")
    assert found == stored(pending=["batch"], groups={"g"}, job=IN_GROUP) | {
        "asynq:{mail}:g:g": {"j1": float(START)}
    }


async def test_release(broker: RedisBroker, redis_store: RedisStore) -> None:
    members = await joined(broker)

    await broker.release("mail", "g", members)

    job = {"msg": a_message(group_key="g"), "state": "pending", "pending_since": NOW_NS}
    assert redis_store.dump() == stored(pending=["j1"], job=job)


async def test_archive_from_a_group(broker: RedisBroker, redis_store: RedisStore) -> None:
    await joined(broker)

    await broker.archive("mail", ["j1"])

    job = {"msg": a_message(group_key="g"), "state": "archived"}
    assert redis_store.dump() == stored(archived={"j1": float(START)}, job=job)


async def test_run_from_a_group(broker: RedisBroker, redis_store: RedisStore) -> None:
    await joined(broker)

    await broker.run("mail", State.AGGREGATING)

    job = {"msg": a_message(group_key="g"), "state": "pending", "pending_since": NOW_NS}
    assert redis_store.dump() == stored(pending=["j1"], job=job)


async def test_a_group_of_a_hundred_thousand_bytes_of_names_is_one_key_each(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    names = [f"g:{'x' * 190}:{n}" for n in range(500)]

    await broker.enqueue([a_member(f"j{n}", group=name) for n, name in enumerate(names)])

    assert redis_store.do("SCARD", "asynq:{mail}:groups") == 500
    assert redis_store.do("EXISTS", *(f"asynq:{{mail}}:g:{name}" for name in names)) == 500


# a lost answer (see also test_outages.py)


@pytest.mark.parametrize("meanwhile", ["nothing", "claimed"])
async def test_a_merge_whose_answer_was_lost_is_recognised(
    broker: RedisBroker, redis_store: RedisStore, meanwhile: str
) -> None:
    members = await joined(broker, a_member(), a_member("j2"), a_member("j3"))
    await broker.merge("mail", "g", members[:2], [a_batch()])
    if meanwhile == "claimed":
        await broker.claim(["mail"], limit=9, lease=30, worker=WORKER)

    assert await broker.merge("mail", "g", members[:2], [a_batch()])

    counts = await broker.counts("mail")
    assert counts[State.PENDING] + counts[State.ACTIVE] == 1
    assert counts[State.AGGREGATING] == 1


# what Go programs do


def go_joins(store: RedisStore, id: str = "g1", group: str = "g", **fields: object) -> None:
    """Sections 7.4 and 7.5: without `unique_key` in the hash."""
    message = GoPeer(store, "mail").message(id, group_key=group, **fields).SerializeToString()
    key = f"asynq:{{mail}}:t:{id}"
    store.do("SADD", "asynq:queues", "mail")
    store.do("HSET", key, "msg", message, "state", "aggregating", "group", group)
    store.do("ZADD", f"asynq:{{mail}}:g:{group}", START, id)
    store.do("SADD", "asynq:{mail}:groups", group)
    if "unique_key" in fields:
        store.do("SET", str(fields["unique_key"]), id)


async def test_a_group_of_a_go_client_is_there(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    go_joins(redis_store, payload=b'{"n":7}')

    [group] = await broker.groups(["mail"])
    [member] = await broker.members("mail", "g", limit=9)

    assert group == Group("mail", "g", 1, START, START, "demo")
    assert (member.job.payload, member.job.group) == (b'{"n":7}', "g")


@pytest.mark.parametrize(
    "message",
    [
        a_message(type="あ" * 200, payload=b"x" * 300),
        a_message(type="t" * 127),
        a_message(type="t" * 128),
        a_message(type="t", retried=-1, timeout=-5),
    ],
)
async def test_the_task_of_a_group_is_read_whatever_its_length(
    broker: RedisBroker, redis_store: RedisStore, message: TaskMessage
) -> None:
    go_joins(redis_store, "j1")
    redis_store.do("HSET", JOB, "msg", message.SerializeToString())

    [group] = await broker.groups(["mail"])

    assert group.task == message.type


async def test_the_lock_of_a_go_clients_member_goes_with_a_merge(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    go_joins(redis_store, unique_key=LOCK, retention=5, payload=b"p" * 200)

    members = await broker.members("mail", "g", limit=9)
    await broker.merge("mail", "g", members, [a_batch()])

    assert redis_store.do("EXISTS", LOCK) == 0


@pytest.mark.parametrize("which", [["g1"], State.AGGREGATING])
async def test_the_lock_of_a_go_clients_member_goes_when_it_is_deleted(
    broker: RedisBroker, redis_store: RedisStore, which: list[str] | State
) -> None:
    go_joins(redis_store, unique_key=LOCK)

    assert await broker.delete("mail", which) == 1

    assert redis_store.dump() == {"asynq:queues": {"mail"}}


async def test_a_lock_that_somebody_else_has_by_now_stays(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    go_joins(redis_store, unique_key=LOCK)
    redis_store.do("SET", LOCK, "successor")

    members = await broker.members("mail", "g", limit=9)
    await broker.merge("mail", "g", members, [a_batch()])

    assert redis_store.do("GET", LOCK) == b"successor"


async def test_a_payload_that_looks_like_a_lock_is_none(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    redis_store.do("SET", LOCK, "g1")
    go_joins(redis_store, payload=LOCK.encode(), unique_key="somebody:else")

    await broker.delete("mail", ["g1"])

    assert redis_store.do("GET", LOCK) == b"g1"
    assert redis_store.do("GET", "somebody:else") == b"g1"


async def test_a_scheduled_job_of_a_go_client_with_a_group_runs_alone(
    broker: RedisBroker, redis_store: RedisStore, go: GoPeer, clock: FakeClock
) -> None:
    go.schedule("g1", START + 5, group_key="g")
    clock.advance(5)

    await broker.promote(["mail"])

    [claim] = await broker.claim(["mail"], limit=9, lease=30, worker=WORKER)
    assert (claim.job.id, claim.job.group) == ("g1", "g")


async def test_a_member_that_go_ran_alone_does_not_join_again_with_its_retry(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    # asynq's inspector leaves the field as it is (trap 10).
    message = a_message(group_key="g").SerializeToString()
    redis_store.do("HSET", JOB, "msg", message, "state", "pending", "group", "g")
    redis_store.do("LPUSH", "asynq:{mail}:pending", "j1")

    [claim] = await broker.claim(["mail"], limit=9, lease=30, worker=WORKER)
    await end(broker, claim, Failed("boom"), clock)

    assert "group" not in redis_store.fields("mail", "j1")


async def test_a_retry_of_a_go_worker_does_not_join_either(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    message = a_message(group_key="g").SerializeToString()
    redis_store.do("HSET", JOB, "msg", message, "state", "retry", "group", "g")
    redis_store.do("ZADD", "asynq:{mail}:retry", START, "j1")

    await broker.promote(["mail"])

    assert redis_store.fields("mail", "j1")["state"] == "pending"
    assert "group" not in redis_store.fields("mail", "j1")


async def test_names_of_groups_without_members_are_dropped(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    redis_store.do("SADD", "asynq:{mail}:groups", "empty")

    assert list(await broker.groups(["mail"])) == []

    assert redis_store.dump() == {}


# what is broken


def broken_message(kind: str) -> bytes:
    return {
        "noise": b"\xff\xff\xff",
        "cut": a_message(group_key="g").SerializeToString()[:-3],
        "of another job": a_message(id="other").SerializeToString(),
        "of no task": a_message(type="").SerializeToString(),
        "empty": b"",
        "no utf-8": a_message().SerializeToString().replace(b"trace", b"tra\xffe"),
    }[kind]


KINDS = ["noise", "cut", "of another job", "of no task", "empty", "no utf-8"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_member_that_nobody_can_read_goes_into_the_archive(
    broker: RedisBroker, redis_store: RedisStore, kind: str
) -> None:
    await broker.enqueue([a_member(), a_member("j2")])
    redis_store.do("HSET", JOB, "msg", broken_message(kind))

    members = await broker.members("mail", "g", limit=1)

    assert [member.job.id for member in members] == ["j2"]
    archived = redis_store.fields("mail", "j1")
    message = archived["msg"]
    assert isinstance(message, TaskMessage)
    assert (archived["state"], "group" in archived, message.id) == ("archived", False, "j1")
    assert message.error_msg.startswith("the stored message")
    assert redis_store.dump()["asynq:{mail}:archived"] == {"j1": START}


async def test_a_group_of_nothing_but_noise_goes_away(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    ids = [f"j{n}" for n in range(1, 601)]
    await broker.enqueue([a_member(name) for name in ids])
    for name in ids:
        redis_store.do("HSET", f"asynq:{{mail}}:t:{name}", "msg", b"\xff")

    assert list(await broker.members("mail", "g", limit=10)) == []

    assert list(await broker.groups(["mail"])) == []
    assert (await broker.counts("mail"))[State.ARCHIVED] == 600


def drop_hash(store: RedisStore) -> None:
    store.do("DEL", JOB)


def leave_state_only(store: RedisStore) -> None:
    store.do("HDEL", JOB, "msg", "group")


def complete(store: RedisStore) -> None:
    store.do("HSET", JOB, "state", "completed")


def make_text(store: RedisStore) -> None:
    store.do("SET", JOB, "x")


@pytest.mark.parametrize("damage", [drop_hash, leave_state_only, complete, make_text])
async def test_ids_whose_job_is_not_there_are_dropped(
    broker: RedisBroker, redis_store: RedisStore, damage: Callable[[RedisStore], None]
) -> None:
    await broker.enqueue([a_member(), a_member("j2")])
    damage(redis_store)

    [before] = await broker.groups(["mail"])
    members = await broker.members("mail", "g", limit=9)
    [after] = await broker.groups(["mail"])

    assert before.size == 2
    assert [member.job.id for member in members] == ["j2"]
    assert (after.size, after.task) == (1, "mail:send")


async def test_a_group_of_a_wrong_type_spoils_no_other(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_member()])
    redis_store.do("SADD", "asynq:{mail}:groups", "broken")
    redis_store.do("SET", "asynq:{mail}:g:broken", "x")

    assert [group.name for group in await broker.groups(["mail"])] == ["g"]


async def test_a_name_that_is_no_text_is_a_name(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_member()])
    redis_store.do("SADD", "asynq:{mail}:groups", b"\xff")
    redis_store.do("RENAME", "asynq:{mail}:g:g", b"asynq:{mail}:g:\xff")

    [group] = await broker.groups(["mail"])
    members = await broker.members("mail", group.name, limit=9)

    assert await broker.release("mail", group.name, members) == 1


@pytest.mark.parametrize("key", ["asynq:{mail}:groups", "asynq:{mail}:g:g", LOCK])
async def test_a_key_of_a_wrong_type_fails_before_anything_is_written(
    broker: RedisBroker, redis_store: RedisStore, key: str
) -> None:
    redis_store.do("HSET", key, "a", "b")

    with pytest.raises(BrokerRefused):
        await broker.enqueue([a_member(unique=UNIQUE, unique_for=60.0)])

    assert redis_store.dump() == {key: {"a": "b"}, "asynq:queues": {"mail"}}


async def test_a_pending_list_of_a_wrong_type_leaves_the_members_alone(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    members = await joined(broker)
    redis_store.do("SET", "asynq:{mail}:pending", "x")
    before = redis_store.dump()

    for act in (
        broker.merge("mail", "g", members, [a_batch()]),
        broker.release("mail", "g", members),
    ):
        with pytest.raises(BrokerRefused):
            await act

    assert redis_store.dump() == before


# what Go workers leave behind


def go_takes_out(store: RedisStore, group: str, *ids: str, deadline: int) -> None:
    """Section 9.1: an aggregation set in a worker's hands."""
    source = f"asynq:{{mail}}:g:{group}"
    taken = f"{source}:5f0c6a9e-0000-4000-8000-000000000001"
    for name in ids:
        store.do("ZADD", taken, store.do("ZSCORE", source, name), name)
        store.do("ZREM", source, name)
    store.do("ZADD", "asynq:{mail}:aggregation_sets", deadline, taken)
    if not store.do("EXISTS", source):
        store.do("SREM", "asynq:{mail}:groups", group)


async def test_a_stale_set_goes_back_to_its_group_which_is_known_again(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    go_joins(redis_store, "g1", "a:b")
    go_joins(redis_store, "g2", "a:b")
    before = redis_store.dump()
    go_takes_out(redis_store, "a:b", "g1", "g2", deadline=START + 120)
    clock.advance(119)
    await broker.prune(["mail"])
    still = await broker.groups(["mail"])
    clock.advance(1)

    await broker.prune(["mail"])

    assert still == []
    found = redis_store.dump()
    assert found.pop("asynq:{mail}:visits") == {f"{START + 120}:a:b": START + 120.0}
    assert found == before


async def test_a_stale_set_joins_those_that_came_meanwhile(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    go_joins(redis_store, "g1")
    go_takes_out(redis_store, "g", "g1", deadline=START)
    clock.advance(7)
    await broker.enqueue([a_member("later")])

    await broker.prune(["mail"])

    assert [each.job.id for each in await broker.members("mail", "g", limit=9)] == ["g1", "later"]
    assert await broker.groups(["mail"]) == [Group("mail", "g", 2, START, START + 7, "demo")]


async def test_what_gos_recoverer_gave_back_is_known_again(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    go_joins(redis_store, "g1", "a:b")
    go_takes_out(redis_store, "a:b", "g1", deadline=START + 120)
    await broker.prune(["mail"])
    # As section 9.4 has it: without the name.
    redis_store.do("ZADD", "asynq:{mail}:g:a:b", START, "g1")
    [taken] = redis_store.do("ZRANGE", "asynq:{mail}:aggregation_sets", 0, -1)
    redis_store.do("DEL", taken, "asynq:{mail}:aggregation_sets")
    clock.advance(150)

    await broker.prune(["mail"])

    assert [group.name for group in await broker.groups(["mail"])] == ["a:b"]


async def test_what_gos_forwarder_put_into_a_group_is_known(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    later = a_member("j2", state=State.SCHEDULED, due=START + 600.0)
    await broker.enqueue([a_member(state=State.SCHEDULED, due=START + 5.0), later])
    # Section 8.7, without the name.
    redis_store.do("ZREM", "asynq:{mail}:scheduled", "j1")
    redis_store.do("ZADD", "asynq:{mail}:g:g", START + 5, "j1")
    redis_store.do("HSET", JOB, "state", "aggregating")
    clock.advance(6)

    await broker.prune(["mail"])

    assert [(group.name, group.size) for group in await broker.groups(["mail"])] == [("g", 1)]
    assert len(redis_store.do("ZRANGE", "asynq:{mail}:visits", 0, -1)) == 2


async def test_where_no_worker_of_ours_looks_old_notes_go_with_new_ones(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await broker.enqueue([a_member(state=State.SCHEDULED, due=START + 5.0)])
    clock.advance(3700)

    await broker.enqueue([a_member("j2", state=State.SCHEDULED, due=START + 5000.0)])

    assert redis_store.dump()["asynq:{mail}:visits"] == {f"{START + 5000}:g": START + 5000.0}


async def test_more_stale_sets_than_one_call_takes(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    for n in range(250):
        go_joins(redis_store, f"g{n}", f"group{n}")
        go_takes_out(redis_store, f"group{n}", f"g{n}", deadline=START)

    await broker.prune(["mail"])

    assert len(await broker.groups(["mail"])) == 250
    assert redis_store.do("EXISTS", "asynq:{mail}:aggregation_sets") == 0


async def test_sets_that_are_no_sets_of_this_queue_are_forgotten_and_left_alone(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    for name in ("somebody:else", "asynq:{mail}:g:gone:1", "asynq:{mail}:g:nameless"):
        redis_store.do("ZADD", "asynq:{mail}:aggregation_sets", START, name)
    redis_store.do("ZADD", "somebody:else", 1, "x")

    await broker.prune(["mail"])

    assert redis_store.dump() == {"somebody:else": {"x": 1.0}}


async def test_a_stale_set_whose_group_is_of_a_wrong_type_stays_as_it_is(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    for n in range(120):
        go_joins(redis_store, f"g{n}", f"group{n}")
        go_takes_out(redis_store, f"group{n}", f"g{n}", deadline=START)
        redis_store.do("SET", f"asynq:{{mail}}:g:group{n}", "x")
    before = redis_store.dump()

    await broker.prune(["mail"])

    assert redis_store.dump() == before


async def test_a_member_in_a_go_workers_hands_is_left_alone(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    go_joins(redis_store, "g1")
    members = await broker.members("mail", "g", limit=9)
    go_takes_out(redis_store, "g", "g1", deadline=START + 120)
    before = redis_store.dump()

    assert not await broker.merge("mail", "g", members, [a_batch()])
    assert await broker.release("mail", "g", members) == 0
    assert await broker.run("mail", ["g1"]) == 0
    assert await broker.archive("mail", ["g1"]) == 0
    assert await broker.delete("mail", ["g1"]) == 0

    assert redis_store.dump() == before | {"asynq:queues": {"mail"}}


async def test_a_receipt_is_the_digest_of_the_stored_message(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    [member] = await joined(broker)

    assert member.receipt == sha1(redis_store.do("HGET", JOB, "msg")).hexdigest().encode()
