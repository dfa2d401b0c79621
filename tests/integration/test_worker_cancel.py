"""Jobs that are cancelled while a worker has them, on every broker."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from atode import Atode, Job, JobCancelled, JobHandle, Retry, Snooze, State, fixed
from atode.broker.memory import MemoryBroker
from atode.broker.protocol import Cancellation
from atode.events import (
    BrokerBack,
    BrokerLost,
    ClaimLost,
    HandlerStuck,
    JobRetrying,
    JobStarted,
    ServiceFailed,
)
from atode.events import JobCancelled as CancelledEvent
from atode.job import Claim
from atode.worker import _canceller
from tests.integration.stage import (
    FlakyBroker,
    app_on,
    archived,
    heard,
    until,
    until_stored,
    wait_deaf,
    working,
)
from tests.servers.redis_store import RedisStore


@pytest.fixture(params=["memory", "sqlite", "redis", "postgres"])
def jobs(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Atode:
    match request.param:
        case "memory":
            url = "memory://"
        case "sqlite":
            url = f"sqlite:///{tmp_path}/jobs.db"
        case _:
            url = request.getfixturevalue(f"{request.param}_url")
    # Whoever is not told waits for ever.
    monkeypatch.setattr(_canceller, "LOOK_EVERY", 3600.0)
    return Atode(url, retry=Retry(25, fixed(3600)))


async def test_a_running_handler_is_interrupted_at_its_next_await(jobs: Atode) -> None:
    began, interrupted = asyncio.Event(), asyncio.Event()

    @jobs.task
    async def sleep() -> int:
        began.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            interrupted.set()
            raise
        return 1

    cancelled = heard(jobs, CancelledEvent)
    async with jobs, working(jobs):
        handle = await sleep.enqueue()
        await began.wait()

        assert await handle.cancel()

        await interrupted.wait()
        job = await archived(handle)
        with pytest.raises(JobCancelled):
            await handle.result(timeout=10)
        await until(lambda: cancelled)

    assert (job.error, job.retried) == ("cancelled", 0)
    assert [event.job.id for event in cancelled] == [handle.id]


async def test_only_the_job_that_is_meant_is_interrupted(jobs: Atode) -> None:
    running: set[str] = set()
    go_on = asyncio.Event()

    @jobs.task
    async def work(name: str) -> None:
        running.add(name)
        await go_on.wait()

    async with jobs, working(jobs, queues={"a": 1, "b": 1}):
        meant = await work.options(id="same", queue="a").enqueue("meant")
        others = [
            await work.options(id="same", queue="b", retention=60).enqueue("same id"),
            await work.options(id="other", queue="a", retention=60).enqueue("same queue"),
        ]
        await until(lambda: len(running) == 3)

        assert await jobs.cancel("same", queue="a")
        await archived(meant)
        go_on.set()

        for handle in others:
            await until_stored(handle, State.COMPLETED)


async def test_a_job_that_waits_never_starts(jobs: Atode) -> None:
    started = heard(jobs, JobStarted)

    @jobs.task
    async def work() -> None: ...

    async with jobs:
        first = await work.enqueue()
        await first.cancel()
        last = await work.options(retention=60).enqueue()
        async with working(jobs):
            await until_stored(last, State.COMPLETED)

    assert [event.job.id for event in started] == [last.id]


async def test_a_handler_in_a_thread_keeps_its_slot_until_it_returns(jobs: Atode) -> None:
    began, release = threading.Event(), threading.Event()
    ran: list[str] = []

    @jobs.task
    def stubborn() -> str:
        began.set()
        release.wait(20)
        return "done all the same"

    @jobs.task
    async def after() -> None:
        ran.append("after")

    stuck = heard(jobs, HandlerStuck)
    async with jobs, working(jobs, concurrency=1):
        handle = await stubborn.enqueue()
        await until(began.is_set)
        await after.enqueue()

        await handle.cancel()
        job = await archived(handle)
        early = list(ran)
        release.set()
        await until(lambda: ran)
        later = await handle.job()

    assert (job.error, early) == ("cancelled", [])
    assert [event.job.id for event in stuck] == [handle.id]
    assert later is not None
    assert (later.state, later.result) == (State.ARCHIVED, b"")


async def test_a_handler_that_does_not_listen_is_given_up_after_a_second(jobs: Atode) -> None:
    began, release = asyncio.Event(), asyncio.Event()

    @jobs.task
    async def deaf() -> None:
        began.set()
        await wait_deaf(release)

    stuck, lost = heard(jobs, HandlerStuck), heard(jobs, ClaimLost)
    async with jobs, working(jobs):
        handle = await deaf.enqueue()
        await began.wait()

        await handle.cancel()
        job = await archived(handle)
        release.set()
        await until(lambda: stuck)

    assert job.error == "cancelled"
    assert [event.job.id for event in stuck] == [handle.id]
    assert lost == []


@pytest.mark.parametrize("ending", ["returns", "fails", "snoozes"])
async def test_what_a_handler_does_after_its_interruption_does_not_bring_the_job_back(
    jobs: Atode, ending: str
) -> None:
    began = asyncio.Event()

    @jobs.task
    async def untidy() -> str:
        began.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if ending == "fails":
                raise ValueError("cannot clean up") from None
            if ending == "snoozes":
                raise Snooze(0) from None
        return "done"

    async with jobs, working(jobs):
        handle = await untidy.enqueue()
        await began.wait()

        await handle.cancel()

        job = await archived(handle)
    assert job.error == "cancelled"


async def test_success_before_the_interruption_wins(jobs: Atode) -> None:
    @jobs.task
    async def hurry() -> str:
        # It is marked now, and returns before anybody on this event loop can interrupt it.
        far = jobs.broker.sibling()

        async def cancel() -> int:
            try:
                return await far.cancel("default", ["j"])
            finally:
                await far.close()

        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(asyncio.run, cancel()).result() == 1
        return "done"

    async with jobs, working(jobs):
        handle = await hurry.options(id="j").enqueue()

        assert await handle.result(timeout=20) == "done"


async def test_a_failure_in_the_same_moment_does_not_bring_the_job_back(jobs: Atode) -> None:
    @jobs.task
    async def fail() -> None:
        # No await after the mark is stored: nothing can interrupt it any more.
        future = asyncio.ensure_future(jobs.cancel("j"))
        while not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:
                continue
        raise ValueError("no")

    retrying = heard(jobs, JobRetrying)
    async with jobs, working(jobs):
        handle = await fail.options(id="j").enqueue()
        job = await archived(handle)

    assert job.error == "cancelled"
    assert len(retrying) <= 1


async def test_a_job_that_is_handed_back_by_a_stopping_worker_does_not_run_again(
    jobs: Atode,
) -> None:
    began: list[int] = []

    @jobs.task
    async def sleep() -> None:
        began.append(1)
        await asyncio.sleep(3600)

    async with jobs:
        async with working(jobs) as worker:
            handle = await sleep.enqueue()
            await until(lambda: began)
            worker.stop()
            worker.stop()
            await handle.cancel()
        async with working(jobs):
            job = await archived(handle)

    assert (job.error, began) == ("cancelled", [1])


async def test_many_running_jobs_are_cancelled_at_once(jobs: Atode) -> None:
    began: set[int] = set()

    @jobs.task
    async def sleep(n: int) -> None:
        began.add(n)
        await asyncio.sleep(3600)

    async with jobs, working(jobs, concurrency=200):
        await jobs.enqueue_many(sleep.call(n) for n in range(200))
        await until(lambda: len(began) == 200)

        assert await jobs.broker.cancel("default", State.ACTIVE) == 200

        async with asyncio.timeout(20):
            while (await jobs.broker.counts("default"))[State.ARCHIVED] < 200:
                await asyncio.sleep(0.01)


async def test_jobs_that_are_cancelled_while_they_are_claimed_and_settled_are_not_lost(
    jobs: Atode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_canceller, "LOOK_AFTER_UNKNOWN", 0.02)
    stop = asyncio.Event()

    @jobs.task
    async def work(n: int) -> None:
        # Some are over before the news can come.
        await (asyncio.sleep(0) if n % 2 else stop.wait())

    async with jobs, working(jobs, concurrency=100):
        cancelled: list[JobHandle[None]] = []
        for n in range(150):
            handle = await work.options(retention=600).enqueue(n)
            await asyncio.sleep(0.0003 * (n % 5))
            if await handle.cancel():
                cancelled.append(handle)
            else:
                assert n % 2
        ended = [await _ended(handle) for handle in cancelled]

    assert len(ended) >= 75
    assert all(
        (job.state, job.error) in [(State.ARCHIVED, "cancelled"), (State.COMPLETED, "")]
        for job in ended
    )


async def _ended(handle: JobHandle[None]) -> Job:
    async with asyncio.timeout(20):
        while True:
            job = await handle.job()
            assert job is not None
            if job.state in (State.ARCHIVED, State.COMPLETED):
                return job
            await asyncio.sleep(0.005)


# When nobody is told


class Mute(MemoryBroker):
    """Tells of no cancellation."""

    async def cancellations(
        self, queues: Sequence[str], *, worker: str, at_most: float
    ) -> Sequence[Cancellation]:
        await asyncio.sleep(min(at_most, 0.01))
        return []


async def test_a_cancellation_that_nobody_was_told_of_is_found_by_looking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = app_on(Mute(), monkeypatch)
    began = asyncio.Event()

    @jobs.task
    async def sleep() -> None:
        began.set()
        await asyncio.sleep(3600)

    async with working(jobs):
        handle = await sleep.enqueue()
        await began.wait()
        await handle.cancel()

        assert (await archived(handle)).error == "cancelled"


class Forgetful(MemoryBroker):
    """Fails when it is asked for marks for the first time after news."""

    failures = 0

    async def marked(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        marked = await super().marked(claims)
        if marked and not type(self).failures:
            type(self).failures += 1
            raise ZeroDivisionError("a bug")
        return marked


async def test_an_error_after_the_news_loses_no_cancellation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_canceller, "LOOK_EVERY", 3600.0)
    jobs = app_on(Forgetful(), monkeypatch)
    failed = heard(jobs, ServiceFailed)
    began = asyncio.Event()

    @jobs.task
    async def sleep() -> None:
        began.set()
        await asyncio.sleep(3600)

    async with working(jobs):
        handle = await sleep.enqueue()
        await began.wait()
        await handle.cancel()

        assert (await archived(handle)).error == "cancelled"
    assert [event.service for event in failed] == ["canceller"]


@pytest.mark.parametrize("method", ["cancellations", "marked"])
async def test_an_outage_loses_no_cancellation(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(_canceller, "LOOK_EVERY", 0.01)
    broker = FlakyBroker.with_faults()
    jobs = app_on(broker, monkeypatch)
    began = asyncio.Event()

    @jobs.task
    async def sleep() -> None:
        began.set()
        await asyncio.sleep(3600)

    lost, back = heard(jobs, BrokerLost), heard(jobs, BrokerBack)
    async with working(jobs):
        handle = await sleep.enqueue()
        await began.wait()
        broker.faults.down.add(method)
        await until(lambda: lost)

        await handle.cancel()
        broker.faults.down.clear()

        assert (await archived(handle)).error == "cancelled"
        await until(lambda: back)
    assert {event.service for event in lost} == {"canceller"}


# On Redis


@pytest.fixture
def on_redis(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Atode:
    monkeypatch.setattr(_canceller, "LOOK_EVERY", 3600.0)
    return Atode(redis_url, retry=Retry(25, fixed(3600)))


async def test_asynqs_cancellation_fails_the_attempt_in_every_queue_and_it_is_retried(
    on_redis: Atode, redis_store: RedisStore
) -> None:
    jobs = on_redis
    running: set[str] = set()

    @jobs.task
    async def sleep(name: str) -> None:
        running.add(name)
        await asyncio.sleep(3600)

    async with jobs, working(jobs, queues={"a": 1, "b": 1}):
        one = await sleep.options(id="same", queue="a").enqueue("one")
        two = await sleep.options(id="same", queue="b").enqueue("two")
        other = await sleep.options(queue="a").enqueue("other")
        await until(lambda: len(running) == 3)

        redis_store.do("PUBLISH", "asynq:cancel", "same")

        retried = [await until_stored(handle, State.RETRY) for handle in (one, two)]
        left = await other.job()

    assert [(job.error, job.retried) for job in retried if job] == [("context canceled", 1)] * 2
    assert left is not None
    assert left.state is State.ACTIVE


async def test_a_cancellation_during_a_cut_connection_is_found_when_it_is_back(
    on_redis: Atode, redis_store: RedisStore
) -> None:
    jobs = on_redis
    began = asyncio.Event()

    @jobs.task
    async def sleep() -> None:
        began.set()
        await asyncio.sleep(3600)

    async with jobs, working(jobs):
        handle = await sleep.enqueue()
        await began.wait()

        # All who listen are cut off, and the mark is set before they can be back.
        redis_store.do("CLIENT", "KILL", "TYPE", "pubsub")
        redis_store.do("HSET", f"asynq:{{default}}:t:{handle.id}", "cancelled", "1.0")

        assert (await archived(handle)).error == "cancelled"


async def test_a_claim_that_was_cancelled_in_a_go_workers_hands_is_archived_without_running(
    on_redis: Atode, redis_store: RedisStore
) -> None:
    jobs = on_redis
    ran: list[int] = []

    @jobs.task
    async def work() -> None:
        ran.append(1)

    cancelled = heard(jobs, CancelledEvent)
    async with jobs:
        handle = await work.enqueue()
        redis_store.do("HSET", f"asynq:{{default}}:t:{handle.id}", "cancelled", "1.0")
        async with working(jobs):
            job = await archived(handle)
            await until(lambda: cancelled)

    assert (job.error, ran) == ("cancelled", [])
    assert "cancelled" not in redis_store.fields("default", handle.id)


async def test_who_may_not_subscribe_finds_cancellations_by_looking(
    redis_url: str, redis_store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = ("deaf", "on", ">secret", "~asynq:*", "+@all", "resetchannels")
    redis_store.do("ACL", "SETUSER", *user)
    monkeypatch.setattr(_canceller, "LOOK_EVERY", 0.1)
    jobs = Atode(redis_url.replace("redis://", "redis://deaf:secret@"))
    began = asyncio.Event()

    @jobs.task
    async def sleep() -> None:
        began.set()
        await asyncio.sleep(3600)

    async with jobs, working(jobs):
        handle = await sleep.enqueue()
        await began.wait()
        await handle.cancel()

        assert (await archived(handle)).error == "cancelled"
