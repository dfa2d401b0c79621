"""Batch tasks under a real worker, on each kind of store."""

import asyncio
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from atode import Atode, BrokerUnavailable, Job, ResultNotKept, Retry, State, current_job, fixed
from atode.events import BatchMade, BrokerLost, JobArchived, JobEnqueued, JobSucceeded
from atode.job import new_id
from atode.worker import _aggregator
from tests.integration.stage import FlakyBroker, app_on, heard, until, working


class Notification(BaseModel):
    user: int
    text: str = ""


@pytest.fixture(params=["memory", "sqlite", "redis", "postgres"])
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> Atode:
    url = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path}/jobs.db"}.get(request.param)
    found: str = url or request.getfixturevalue(f"{request.param}_url")
    return Atode(found, retry=Retry(2, fixed(0.001)))


def texts(batches: list[list[Notification]]) -> list[str]:
    return sorted(item.text for batch in batches for item in batch)


async def empty(app: Atode, queue: str = "default") -> None:
    """Return when the queue holds no job any more that waits or runs."""
    async with asyncio.timeout(20):
        while True:
            counts = dict(await app.broker.counts(queue))
            if not sum(counts[s] for s in State if s not in (State.ARCHIVED, State.COMPLETED)):
                return
            await asyncio.sleep(0.01)


async def test_items_become_one_batch_after_a_moment_without_new_ones(jobs: Atode) -> None:
    batches: list[list[Notification]] = []

    @jobs.batch(grace=0.2)
    async def digest(items: list[Notification]) -> None:
        batches.append(items)

    made = heard(jobs, BatchMade)
    async with jobs:
        for number in range(5):
            await digest.enqueue(Notification(user=1, text=str(number)))
        async with working(jobs):
            await until(lambda: batches)
            await empty(jobs)

    assert [len(batch) for batch in batches] == [5]
    assert texts(batches) == list("01234")
    assert [(event.group, event.items) for event in made] == [("digest", 5)]


async def test_a_full_batch_waits_for_nothing_and_the_rest_for_its_time(jobs: Atode) -> None:
    sizes: list[int] = []

    @jobs.batch(max_size=10, max_delay=600, grace=600)
    def digest(items: list[int]) -> None:
        sizes.append(len(items))

    async with jobs, working(jobs):
        await jobs.enqueue_many(digest.call(number) for number in range(35))
        await until(lambda: sum(sizes) == 30)
        await asyncio.sleep(2 * _aggregator.LOOK_AGAIN)
        counts = await jobs.broker.counts("default")

    assert sizes == [10, 10, 10]
    assert counts[State.AGGREGATING] == 5


async def test_an_ordinary_function_gets_its_batch_in_a_thread(jobs: Atode) -> None:
    threads: list[str] = []

    @jobs.batch(max_size=1)
    def digest(items: list[int]) -> None:
        threads.append(threading.current_thread().name)

    async with jobs, working(jobs):
        await digest.enqueue(1)
        await until(lambda: threads)

    assert threads[0] != threading.main_thread().name


async def test_each_key_has_batches_of_its_own(jobs: Atode) -> None:
    seen: list[set[int]] = []

    @jobs.batch(max_size=3, max_delay=600, grace=600)
    async def digest(items: list[Notification]) -> None:
        seen.append({item.user for item in items})

    async with jobs, working(jobs):
        for _ in range(3):
            for user in range(4):
                await digest.options(key=f"user:{user}").enqueue(Notification(user=user))
        await until(lambda: len(seen) == 4)

    assert sorted(map(list, seen)) == [[0], [1], [2], [3]]


async def test_a_delayed_item_joins_at_its_time(jobs: Atode) -> None:
    batches: list[list[int]] = []

    @jobs.batch(max_size=2, max_delay=600, grace=600)
    async def digest(numbers: list[int]) -> None:
        batches.append(sorted(numbers))

    async with jobs, working(jobs):
        await digest.options(delay=0.3).enqueue(1)
        await digest.enqueue(2)
        await until(lambda: batches)

    assert batches == [[1, 2]]


async def test_a_batch_is_retried_whole_with_the_tasks_policy(jobs: Atode) -> None:
    attempts: list[list[int]] = []

    @jobs.batch(max_size=2, retry=Retry(1, fixed(0.001)))
    async def digest(numbers: list[int]) -> None:
        attempts.append(sorted(numbers))
        if len(attempts) == 1:
            raise ValueError("not yet")

    async with jobs, working(jobs):
        await jobs.enqueue_many(digest.call(number) for number in (1, 2))
        await until(lambda: len(attempts) == 2)
        await empty(jobs)

    assert attempts == [[1, 2], [1, 2]]


async def test_the_batch_is_the_current_job_and_keeps_its_result(jobs: Atode) -> None:
    batch: list[Job | None] = []

    @jobs.batch(max_size=2)
    async def total(numbers: list[int]) -> int:
        batch.append(current_job())
        return sum(numbers)

    succeeded = heard(jobs, JobSucceeded)
    async with jobs, working(jobs):
        handle = await total.enqueue(3)
        await total.enqueue(4)
        await until(lambda: succeeded)
        [kept] = await jobs.broker.find("default", State.COMPLETED)
        with pytest.raises(ResultNotKept, match="one item of a batch"):
            await handle.result(timeout=5)
        assert await handle.job() is None

    assert batch[0]
    assert (batch[0].id, batch[0].group, kept.result) == (kept.id, "", b"7")


async def test_an_item_that_does_not_fit_is_archived_alone_with_the_reason(jobs: Atode) -> None:
    batches: list[list[Notification]] = []

    @jobs.batch(grace=0.2)
    async def digest(items: list[Notification]) -> None:
        batches.append(items)

    def foreign(payload: bytes) -> Job:
        return Job(new_id(), "digest", "default", payload, State.AGGREGATING, group="digest")

    archived = heard(jobs, JobArchived)
    poison = [foreign(b"nonsense"), foreign(b'{"user":"x"}'), foreign(b'{"user":1},{"user":2}')]
    async with jobs:
        await jobs.broker.enqueue([*poison[:2], foreign(b'{"user":7,"text":"good"}'), poison[2]])
        async with working(jobs):
            await until(lambda: batches and len(archived) == 3)

    assert texts(batches) == ["good"]
    assert {event.job.id for event in archived} == {job.id for job in poison}
    assert all("digest" in event.job.error for event in archived)


async def test_a_group_that_begins_with_a_foreign_task_is_left_to_others(jobs: Atode) -> None:
    ran: list[list[int]] = []

    @jobs.batch(max_size=1)
    async def digest(numbers: list[int]) -> None:
        ran.append(numbers)

    foreign = Job("f1", "go:task", "default", b"{}", State.AGGREGATING, group="g")
    ours = Job("o1", "digest", "default", b"5", State.AGGREGATING, group="g")
    async with jobs:
        await jobs.broker.enqueue([foreign])
        await jobs.broker.enqueue([ours._replace(id="o2", group="h")])
        async with working(jobs):
            await until(lambda: ran)
            await asyncio.sleep(2 * _aggregator.LOOK_AGAIN)
            left = [group.name for group in await jobs.broker.groups(["default"])]

    assert (ran, left) == ([[5]], ["g"])


async def test_other_tasks_in_a_group_of_ours_run_as_they_are(jobs: Atode) -> None:
    ran: list[Any] = []

    @jobs.batch(grace=0.1)
    async def digest(numbers: list[int]) -> None:
        ran.append(numbers)

    @jobs.task
    async def single(number: int) -> None:
        ran.append(number)

    ours = Job("a1", "digest", "default", b"5", State.AGGREGATING, group="g")
    async with jobs:
        await jobs.broker.enqueue([ours])
        await jobs.broker.enqueue([ours._replace(id="b1", task="single", payload=b'{"number":6}')])
        async with working(jobs):
            await until(lambda: len(ran) == 2)
            await empty(jobs)

    assert sorted(map(str, ran)) == ["6", "[5]"]


async def test_a_member_that_an_operator_runs_comes_as_a_list_of_one(jobs: Atode) -> None:
    ran: list[list[int]] = []

    @jobs.batch(max_delay=600, grace=600, retry=Retry(2, fixed(0.001)))
    async def digest(numbers: list[int]) -> None:
        ran.append(numbers)
        if len(ran) == 1:
            raise ValueError("not yet")

    async with jobs, working(jobs):
        handle = await digest.enqueue(1)
        await digest.enqueue(2)
        await jobs.broker.run("default", [handle.id])
        await until(lambda: len(ran) == 2)
        counts = await jobs.broker.counts("default")

    # The retry, too, ran alone.
    assert ran == [[1], [1]]
    assert counts[State.AGGREGATING] == 1


async def test_large_items_make_smaller_batches(jobs: Atode) -> None:
    batches: list[list[str]] = []

    @jobs.batch(max_size=100, grace=0.1)
    async def digest(texts: list[str]) -> None:
        batches.append(texts)

    async with jobs:
        await jobs.enqueue_many(digest.call(str(n) * 300_000) for n in range(8))
        async with working(jobs):
            await until(lambda: sum(map(len, batches)) == 8)

    assert Counter(text[0] for batch in batches for text in batch) == Counter("01234567")
    assert all(len(batch) <= 4 for batch in batches)


async def test_several_workers_put_every_item_into_exactly_one_batch(jobs: Atode) -> None:
    seen: list[int] = []

    @jobs.batch(max_size=7, max_delay=600, grace=1)
    async def digest(numbers: list[int]) -> None:
        seen.extend(numbers)

    async with jobs, working(jobs), working(jobs), working(jobs):
        for start in range(0, 500, 50):
            await jobs.enqueue_many(
                digest.options(key=str(n % 3)).call(n) for n in range(start, start + 50)
            )
        await until(lambda: len(seen) >= 500)
        await empty(jobs)

    assert sorted(seen) == list(range(500))


async def test_a_worker_looks_at_its_own_queues_only(jobs: Atode) -> None:
    ran: list[int] = []

    @jobs.batch(max_size=1)
    async def digest(numbers: list[int]) -> None:
        ran.extend(numbers)

    async with jobs, working(jobs, queues={"default": 1}):
        await digest.options(queue="low").enqueue(1)
        await digest.enqueue(2)
        await until(lambda: ran)
        await asyncio.sleep(2 * _aggregator.LOOK_AGAIN)
        counts = await jobs.broker.counts("low")

    assert (ran, counts[State.AGGREGATING]) == ([2], 1)


async def test_a_unique_item_can_be_stored_again_once_it_is_in_a_batch(jobs: Atode) -> None:
    ran: list[list[int]] = []

    @jobs.batch(max_size=2, max_delay=600, grace=600)
    async def digest(numbers: list[int]) -> None:
        ran.append(sorted(numbers))

    once = digest.options(unique_for=60)
    async with jobs, working(jobs):
        await once.enqueue(1)
        await once.enqueue(2)
        await until(lambda: ran)
        await once.enqueue(1)

    assert ran == [[1, 2]]


# Without a store that matters


async def test_an_item_is_stored_from_code_without_a_loop() -> None:
    jobs = Atode("memory://")

    @jobs.batch
    async def digest(numbers: list[int]) -> None: ...

    enqueued = heard(jobs, JobEnqueued)
    handle = await asyncio.to_thread(digest.enqueue_sync, 1)
    keyed = await asyncio.to_thread(digest.options(key="k").enqueue_sync, 2)

    assert [event.job.id for event in enqueued] == [handle.id, keyed.id]
    assert enqueued[1].job.group == "digest:k"


async def test_a_worker_without_batch_tasks_looks_at_no_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = FlakyBroker.with_faults()
    jobs = app_on(broker, monkeypatch)
    ran: list[int] = []

    @jobs.task
    async def note(number: int) -> None:
        ran.append(number)

    async with working(jobs):
        await note.enqueue(1)
        await until(lambda: ran)

    assert broker.faults.calls["groups"] == 0


@pytest.mark.parametrize("method", ["groups", "members", "merge", "release"])
async def test_an_outage_while_a_batch_is_made_loses_and_doubles_nothing(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    broker = FlakyBroker.with_faults()
    jobs = app_on(broker, monkeypatch)
    seen: list[int] = []

    @jobs.batch(max_size=10, grace=0.05)
    async def digest(numbers: list[int]) -> None:
        seen.extend(numbers)

    lost = heard(jobs, BrokerLost)
    broker.faults.down.add(method)
    poison = Job("p", "digest", "default", b"x", State.AGGREGATING, group="digest")
    async with working(jobs):
        await jobs.enqueue_many(digest.call(n) for n in range(25))
        await jobs.broker.enqueue([poison])
        await until(lambda: len(lost) >= 2)
        broker.faults.down.clear()
        await until(lambda: len(seen) >= 25)
        await empty(jobs)

    assert sorted(seen) == list(range(25))
    assert {event.service for event in lost} == {"aggregator"}


async def test_enqueueing_an_item_says_when_the_store_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = FlakyBroker.with_faults()
    jobs = app_on(broker, monkeypatch)

    @jobs.batch
    async def digest(numbers: list[int]) -> None: ...

    broker.faults.down.add("enqueue")

    with pytest.raises(BrokerUnavailable):
        await digest.enqueue(1)
