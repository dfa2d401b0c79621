"""Figures and pages, also where the store holds what it should not."""

from typing import Any

import pytest

from atode.broker.redis import _inspection
from atode.broker.redis.broker import RedisBroker
from atode.job import State
from atode.outcome import Succeeded
from atode.statistics import Day
from atode.testing.clock import FakeClock
from tests.integration.redis.stage import START, a_job, a_message, claimed, end
from tests.servers.redis_store import GoPeer, RedisStore

SCHEDULED: dict[str, Any] = {"state": State.SCHEDULED, "due": START + 60.125}


async def test_the_wait_is_that_of_the_job_that_is_next(
    broker: RedisBroker, clock: FakeClock
) -> None:
    await broker.enqueue([a_job()])
    clock.advance(5)
    await broker.enqueue([a_job()._replace(id="j2")])

    stats = await broker.stats("mail")

    assert stats is not None
    assert stats.waiting_since == START + 0.25


async def test_a_wait_that_nobody_noted_is_none(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_job()])
    redis_store.do("RPUSH", "asynq:{mail}:pending", "ghost")

    stats = await broker.stats("mail")

    assert stats is not None
    assert stats.waiting_since == 0


async def test_memory_grows_with_the_jobs(broker: RedisBroker, redis_store: RedisStore) -> None:
    payload = b"x" * 1000
    jobs = [a_job()._replace(id=f"j{n}", payload=payload) for n in range(100)]
    await broker.enqueue(jobs)
    await broker.enqueue([job._replace(id=f"{job.id}s", **SCHEDULED) for job in jobs])
    # Neither an id without a job nor a group without members disturbs it.
    redis_store.do("ZADD", "asynq:{mail}:archived", 1, "ghost")
    redis_store.do("SADD", "asynq:{mail}:groups", "empty")

    stats = await broker.stats("mail")

    assert stats is not None
    assert 200 * 1000 < stats.memory < 200 * 2000


async def test_memory_is_unknown_where_the_user_may_not_ask(
    broker: RedisBroker, redis_store: RedisStore, redis_url: str, clock: FakeClock
) -> None:
    await broker.enqueue([a_job()])
    redis_store.do("ACL", "SETUSER", "plain", "on", ">pw", "~*", "&*", "+@all", "-memory")
    plain = RedisBroker(redis_url.replace("//", "//plain:pw@"), clock)

    stats = await plain.stats("mail")
    await plain.close()
    redis_store.do("ACL", "DELUSER", "plain")

    assert stats is not None
    assert (stats.size, stats.memory) == (1, 0)


async def test_broken_counters_are_shown_as_nothing(
    broker: RedisBroker, redis_store: RedisStore, clock: FakeClock
) -> None:
    await end(broker, await claimed(broker), Succeeded(), clock)
    redis_store.do("SET", "asynq:{mail}:failed", "many")
    redis_store.do("SET", "asynq:{mail}:failed:2030-03-17", "x")

    stats = await broker.stats("mail")
    [today] = await broker.history("mail", 1)

    assert stats is not None
    assert (stats.processed, stats.failed) == (1, 0)
    assert (today.processed, today.failed) == (1, 0)


async def test_history_reads_the_counters_of_go_workers(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    redis_store.do("SET", "asynq:{mail}:processed:2030-03-16", 7)
    redis_store.do("SET", "asynq:{mail}:failed:2030-03-16", 2)

    days = await broker.history("mail", 90)

    assert [day for day in days if day.processed] == [Day(days[1].date, 7, 2)]
    assert len(days) == 90


@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_pages_fit_together(
    broker: RedisBroker, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(_inspection, "CHUNK", 2)
    jobs = [a_job()._replace(id=f"j{n}") for n in range(7)]
    await broker.enqueue(jobs)
    await broker.enqueue([job._replace(id=f"{job.id}s", **SCHEDULED) for job in jobs])

    found: dict[State, list[str]] = {State.PENDING: [], State.SCHEDULED: []}
    for state, ids in found.items():
        for offset in range(0, 14, limit):
            page = await broker.find("mail", state, offset=offset, limit=limit)
            ids += [job.id for job in page]

    assert found[State.PENDING] == [job.id for job in jobs]
    assert found[State.SCHEDULED] == [f"{job.id}s" for job in jobs]


async def test_a_page_of_huge_jobs_comes_in_several_calls(
    broker: RedisBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_inspection, "CHUNK_BYTES", 10)
    await broker.enqueue([a_job()._replace(id=f"j{n}") for n in range(5)])

    page = await broker.find("mail", State.PENDING)

    assert [job.id for job in page] == ["j0", "j1", "j2", "j3", "j4"]


async def test_no_jobs_are_a_page_of_none(broker: RedisBroker) -> None:
    await broker.enqueue([a_job(**SCHEDULED)])

    assert list(await broker.find("mail", State.SCHEDULED, limit=0)) == []


async def test_a_page_leaves_out_ids_without_a_job_and_shows_broken_ones(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_job()])
    redis_store.do("LPUSH", "asynq:{mail}:pending", "ghost", "broken", b"\xff")
    redis_store.do("HSET", "asynq:{mail}:t:broken", "msg", b"{", "state", "pending")
    redis_store.do("HSET", b"asynq:{mail}:t:\xff", "msg", b"{", "state", "pending")

    page = await broker.find("mail", State.PENDING)

    assert [(job.id, job.payload) for job in page] == [
        ("j1", b'{"n":1}'),
        ("broken", b"{"),
        ("\udcff", b"{"),
    ]
    assert page[1] == await broker.get("mail", "broken")


async def test_due_instants_are_exact_where_they_are_ours(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    await broker.enqueue([a_job(**SCHEDULED)])
    GoPeer(redis_store, "mail").schedule("g1", START + 60)

    page = await broker.find("mail", State.SCHEDULED)

    assert [(job.id, job.due) for job in page] == [("g1", START + 60.0), ("j1", START + 60.125)]


async def test_members_of_all_groups_are_listed_as_they_joined(
    broker: RedisBroker, redis_store: RedisStore
) -> None:
    for group, ids in {"b": ["b1", "b2"], "a": ["a1", "a2", "a3"]}.items():
        redis_store.do("SADD", "asynq:{mail}:groups", group)
        for n, job_id in enumerate(ids):
            message = a_message(id=job_id).SerializeToString()
            redis_store.do("ZADD", f"asynq:{{mail}}:g:{group}", START + n, job_id)
            redis_store.do("HSET", f"asynq:{{mail}}:t:{job_id}", "msg", message)

    pages = [
        [job.id for job in await broker.find("mail", State.AGGREGATING, offset=at, limit=2)]
        for at in (0, 2, 4, 6)
    ]

    assert pages == [["a1", "b1"], ["a2", "b2"], ["a3"], []]
