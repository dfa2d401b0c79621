"""How many jobs a worker runs at the same time, and in which order it takes them."""

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence

import pytest

from atode import Atode, Retry, current_job
from atode.events import HandlerStuck, ServiceFailed
from atode.job import State
from tests.integration.stage import FlakyBroker, app_on, archived, heard, until, working


@pytest.fixture
def jobs() -> Atode:
    return Atode("memory://")


async def test_the_only_slot_is_used_again_when_its_handler_ends_in_the_next_round_of_the_loop(
    jobs: Atode,
) -> None:
    # The moment at which the fetcher goes to sleep until a slot is free.
    ran: list[int] = []

    @jobs.task
    async def brief(n: int) -> None:
        await asyncio.sleep(0)
        ran.append(n)

    await jobs.enqueue_many(brief.call(n) for n in range(20))

    async with working(jobs, concurrency=1):
        await until(lambda: len(ran) == 20)

    assert ran == list(range(20))


@pytest.mark.parametrize("rounds", range(6))
async def test_no_slot_is_lost_however_many_rounds_of_the_loop_a_handler_takes(
    jobs: Atode, rounds: int
) -> None:
    ran: list[int] = []

    @jobs.task
    async def brief(n: int) -> None:
        for _ in range(rounds):
            await asyncio.sleep(0)
        ran.append(n)

    await jobs.enqueue_many(brief.call(n) for n in range(30))

    async with working(jobs, concurrency=3):
        await until(lambda: len(ran) == 30)


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_concurrency_is_never_exceeded(jobs: Atode, concurrency: int) -> None:
    running = most = ended = 0

    @jobs.task
    async def busy(n: int) -> None:
        nonlocal running, most, ended
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001 * (n % 3))
        running -= 1
        ended += 1

    await jobs.enqueue_many(busy.call(n) for n in range(40))

    async with working(jobs, concurrency=concurrency):
        await until(lambda: ended == 40)

    assert most == concurrency


async def test_concurrency_holds_for_handlers_in_threads_too(jobs: Atode) -> None:
    lock = threading.Lock()
    running = most = ended = 0
    full = threading.Barrier(3)

    @jobs.task
    def busy() -> None:
        nonlocal running, most, ended
        with lock:
            running += 1
            most = max(most, running)
        full.wait(10)
        with lock:
            running -= 1
            ended += 1

    await jobs.enqueue_many(busy.call() for _ in range(9))

    async with working(jobs, concurrency=3):
        await until(lambda: ended == 9)

    assert most == 3


async def test_a_slot_stays_busy_until_the_thread_of_a_timed_out_handler_returns(
    jobs: Atode,
) -> None:
    release = threading.Event()
    ran: list[str] = []

    @jobs.task(retry=Retry(0))
    def stubborn() -> None:
        release.wait(20)
        ran.append("stubborn")

    @jobs.task
    def after() -> None:
        ran.append("after")

    stuck = heard(jobs, HandlerStuck)
    first = await stubborn.options(timeout=0.02).enqueue()

    async with working(jobs, concurrency=1) as worker:
        job = await archived(first)
        await after.enqueue()
        assert worker.presence().running_count == 1
        assert ran == []
        release.set()
        await until(lambda: len(ran) == 2)

    assert "timed out" in job.error
    assert [event.job.id for event in stuck] == [first.id]
    assert ran == ["stubborn", "after"]


async def test_two_workers_share_the_jobs_and_none_runs_twice(jobs: Atode) -> None:
    ran = Counter[int]()

    @jobs.task
    async def share(n: int) -> None:
        await asyncio.sleep(0.001)
        ran[n] += 1

    await jobs.enqueue_many(share.call(n) for n in range(60))

    async with working(jobs, concurrency=2), working(jobs, concurrency=2):
        await until(lambda: len(ran) == 60)

    assert set(ran.values()) == {1}


async def test_a_strict_worker_empties_the_heavier_queue_first(jobs: Atode) -> None:
    order: list[str] = []

    @jobs.task
    async def note() -> None:
        job = current_job()
        assert job is not None
        order.append(job.queue)

    for queue in ("low", "high"):
        await jobs.enqueue_many(note.options(queue=queue).call() for _ in range(10))

    async with working(jobs, concurrency=1, queues={"low": 1, "high": 9}, strict=True):
        await until(lambda: len(order) == 20)

    assert order == ["high"] * 10 + ["low"] * 10


async def test_a_weighted_worker_starves_no_queue(jobs: Atode) -> None:
    order: list[str] = []

    @jobs.task
    async def note() -> None:
        job = current_job()
        assert job is not None
        order.append(job.queue)

    for queue in ("low", "high"):
        await jobs.enqueue_many(note.options(queue=queue).call() for _ in range(200))

    async with working(jobs, concurrency=1, queues={"low": 1, "high": 3}):
        await until(lambda: len(order) == 400)

    # With one look per job, no low job among the first 200 has a chance of 0.75 ** 200.
    assert 0 < order[:200].count("low") < 200


async def test_a_worker_leaves_queues_alone_that_are_not_its_own(jobs: Atode) -> None:
    ran: list[str] = []

    @jobs.task
    async def note(queue: str) -> None:
        ran.append(queue)

    other = await note.options(queue="other").enqueue("other")
    await note.options(queue="mine").enqueue("mine")

    async with working(jobs, queues={"mine": 1}):
        await until(lambda: ran)

    job = await other.job()
    assert ran == ["mine"]
    assert job is not None
    assert job.state is State.PENDING


class CriesWolf(FlakyBroker):
    """Like a queue that is paused while it has jobs: `wait` says at once that there is
    work, and `claim` gives none."""

    async def wait(self, queues: Sequence[str], *, at_most: float) -> None:
        self.faults.meet("wait")


async def test_a_broker_that_cries_wolf_is_not_asked_in_a_busy_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = CriesWolf.with_faults()
    jobs = app_on(broker, monkeypatch)

    async with working(jobs):
        await until(lambda: broker.faults.calls["wait"] > 3)
        await asyncio.sleep(0.5)

    assert broker.faults.calls["wait"] < 20


async def test_false_alarms_may_go_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atode.worker._fetcher._LONGEST_DAMPING", 0.0)
    broker = CriesWolf.with_faults()
    jobs = app_on(broker, monkeypatch)
    failed = heard(jobs, ServiceFailed)

    async with working(jobs):
        await until(lambda: failed or broker.faults.calls["wait"] > 1200)

    assert failed == []
