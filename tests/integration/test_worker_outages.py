"""A worker whose store is away, says no, or takes its jobs from it."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterable

import pytest

from atode import Atode, JobHandle, Retry, State, fixed
from atode.events import (
    BrokerBack,
    BrokerLost,
    ClaimLost,
    JobArchived,
    JobRetrying,
    JobSucceeded,
    ServiceFailed,
    WorkerStarted,
)
from atode.job import Job
from atode.outcome import Settlement
from tests.integration.stage import (
    FlakyBroker,
    app_on,
    heard,
    until,
    until_stored,
    working,
)


@pytest.fixture
def broker() -> FlakyBroker:
    return FlakyBroker.with_faults()


@pytest.fixture
def jobs(broker: FlakyBroker, monkeypatch: pytest.MonkeyPatch) -> Atode:
    return app_on(broker, monkeypatch)


def services(events: Iterable[BrokerLost | BrokerBack]) -> set[str]:
    return {event.service for event in events}


# Outages


async def test_a_store_that_is_down_at_the_start_is_waited_for(
    jobs: Atode, broker: FlakyBroker
) -> None:
    ran: list[int] = []

    @jobs.task
    async def note() -> None:
        ran.append(1)

    await note.enqueue()
    broker.faults.everything_down = True
    started = heard(jobs, WorkerStarted)
    lost, back = heard(jobs, BrokerLost), heard(jobs, BrokerBack)

    async with working(jobs):
        await until(lambda: {"fetcher", "promoter", "heartbeat"} <= services(lost))
        assert len(started) == 1
        assert ran == []
        broker.faults.everything_down = False
        await until(lambda: ran)
        await until(lambda: {"fetcher", "promoter", "heartbeat"} <= services(back))

    assert all(event.seconds > 0 for event in back)
    assert all("the store is down" in event.error for event in lost)


@pytest.mark.parametrize("method", ["claim", "wait", "promote", "wait_due", "reap"])
async def test_whatever_fails_in_the_middle_the_worker_goes_on_by_itself(
    jobs: Atode, broker: FlakyBroker, method: str
) -> None:
    ran: list[int] = []

    @jobs.task
    async def note(n: int) -> None:
        ran.append(n)

    lost = heard(jobs, BrokerLost)
    async with working(jobs):
        await note.enqueue(1)
        await until(lambda: ran == [1])
        broker.faults.down.add(method)
        await note.options(delay=0.001).enqueue(2)
        await until(lambda: lost)
        broker.faults.down.clear()
        await note.options(delay=0.001).enqueue(3)
        await until(lambda: sorted(ran) == [1, 2, 3])


async def test_pauses_grow_while_the_store_is_away(jobs: Atode, broker: FlakyBroker) -> None:
    broker.faults.down.add("claim")
    lost = heard(jobs, BrokerLost)

    async with working(jobs):
        await until(lambda: len(lost) == 4)

    # 0.1, 0.2, 0.4, 0.8 s, each half to one and a half times.
    assert all(0.05 * 2**n <= event.pause <= 0.15 * 2**n for n, event in enumerate(lost)), [
        event.pause for event in lost
    ]


async def test_settlements_are_kept_through_an_outage_and_written_after_it(
    jobs: Atode, broker: FlakyBroker
) -> None:
    ran = Counter[int]()

    @jobs.task
    async def square(n: int) -> int:
        ran[n] += 1
        return n * n

    succeeded, lost = heard(jobs, JobSucceeded), heard(jobs, BrokerLost)
    async with working(jobs, concurrency=3):
        broker.faults.down.add("settle")
        handles = await jobs.enqueue_many(square.call(n) for n in range(10))
        await until(lambda: len(ran) == 10)
        await until(lambda: "settler" in services(lost))
        assert succeeded == []
        broker.faults.down.clear()
        results = [await handle.result(timeout=20) for handle in handles]

    assert results == [n * n for n in range(10)]
    assert set(ran.values()) == {1}
    assert len(succeeded) == 10


async def test_a_worker_stops_in_time_though_the_store_is_away(
    jobs: Atode, broker: FlakyBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atode.worker.worker.LAST_WRITES", 0.02)
    ran: list[int] = []

    @jobs.task
    async def note() -> None:
        ran.append(1)

    handle = await note.enqueue()
    async with working(jobs):
        broker.faults.down.add("settle")
        await until(lambda: ran)
        broker.faults.everything_down = True

    broker.faults.everything_down = False
    job = await handle.job()
    assert job is not None
    assert job.state is State.ACTIVE


# Refusals


@pytest.mark.parametrize("kind", ["refused", "tripped over"])
async def test_one_settlement_that_cannot_be_written_does_not_hold_up_the_others(
    jobs: Atode, broker: FlakyBroker, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    gate = asyncio.Event()

    @jobs.task
    async def together() -> None:
        await gate.wait()

    if kind == "tripped over":
        settle_really = FlakyBroker.settle

        async def settle(self: FlakyBroker, settlements: list[Settlement]) -> list[Settlement]:
            if any(settlement.claim.job.id == "3" for settlement in settlements):
                raise OverflowError("a bug of the broker")
            return list(await settle_really(self, settlements))

        monkeypatch.setattr(FlakyBroker, "settle", settle)

    handles = [await together.options(id=str(n)).enqueue() for n in range(8)]
    broker.faults.refused = {"3"} if kind == "refused" else set()
    failed, lost = heard(jobs, ServiceFailed), heard(jobs, ClaimLost)
    async with working(jobs):
        gate.set()
        for handle in handles:
            if handle.id != "3":
                await until_stored(handle, None)
        await until(lambda: lost)

    job = await handles[3].job()
    assert job is not None
    assert job.state is State.ACTIVE
    assert [event.service for event in failed] == ["settler"]
    assert [event.job.id for event in lost] == ["3"]


async def test_a_mistake_of_a_service_is_told_and_it_goes_on(
    jobs: Atode, broker: FlakyBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[int] = []

    @jobs.task
    async def note() -> None:
        ran.append(1)

    claim_really = FlakyBroker.claim
    asked = 0

    async def claim(self: FlakyBroker, *args: object, **kwargs: object) -> object:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise ZeroDivisionError("a bug")
        return await claim_really(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(FlakyBroker, "claim", claim)
    failed = heard(jobs, ServiceFailed)
    await note.enqueue()

    async with working(jobs):
        await until(lambda: ran)

    assert [(event.service, str(event.error)) for event in failed] == [("fetcher", "a bug")]


async def test_a_subscriber_that_raises_does_not_hurt_the_worker(jobs: Atode) -> None:
    ran: list[int] = []

    @jobs.task
    async def note(n: int) -> None:
        ran.append(n)

    def broken(event: JobSucceeded) -> None:
        raise ZeroDivisionError("broken metrics")

    jobs.events.subscribe(JobSucceeded, broken)
    async with working(jobs, concurrency=1) as worker:
        await jobs.enqueue_many(note.call(n) for n in range(5))
        await until(lambda: len(ran) == 5)
        await until(lambda: not worker.presence().running)


# Lost claims


async def test_a_lost_claim_cancels_its_handler_and_nothing_is_settled(
    jobs: Atode, broker: FlakyBroker
) -> None:
    ran: list[str] = []

    @jobs.task
    async def endless() -> None:
        ran.append("began")
        try:
            await asyncio.Event().wait()
        finally:
            ran.append("cancelled")

    lost = heard(jobs, ClaimLost)
    handle = await endless.enqueue()
    async with working(jobs, lease=2, concurrency=1) as worker:
        await until(lambda: ran)
        broker.faults.lost = {handle.id}
        await until(lambda: lost)
        assert worker.presence().running_count == 0

    job = await handle.job()
    assert ran == ["began", "cancelled"]
    assert [event.job.id for event in lost] == [handle.id]
    assert job is not None
    assert job.state is State.ACTIVE
    assert broker.faults.calls["settle"] == 0


async def test_a_dead_workers_jobs_are_taken_over(jobs: Atode) -> None:
    ran: list[str] = []

    @jobs.task(retry=Retry(1, fixed(0)))
    async def note(name: str) -> None:
        ran.append(name)

    handle = await note.enqueue("taken over")
    [claim] = await jobs.broker.claim(["default"], limit=1, lease=0.01, worker="the dead")
    retrying = heard(jobs, JobRetrying)

    async with working(jobs):
        await until_stored(handle, None)

    assert claim.job.id == handle.id
    assert ran == ["taken over"]
    assert "the worker died" in retrying[0].job.error


async def test_a_job_that_kills_its_workers_is_archived_when_its_retries_are_used_up(
    jobs: Atode,
) -> None:
    ran: list[int] = []

    @jobs.task(retry=Retry(0))
    async def poison() -> None:
        ran.append(1)

    buried = heard(jobs, JobArchived)
    await poison.enqueue()
    await jobs.broker.claim(["default"], limit=1, lease=0.01, worker="the dead")

    async with working(jobs):
        await until(lambda: buried)

    assert ran == []
    assert buried[0].job.error.startswith("lease expired")


async def test_a_living_workers_jobs_are_left_alone(jobs: Atode) -> None:
    @jobs.task
    async def note() -> None: ...

    handle = await note.enqueue()
    await jobs.broker.claim(["default"], limit=1, lease=3600, worker="the living")

    async with working(jobs):
        other = await note.enqueue()
        await until_stored(other, None)

    job = await handle.job()
    assert job is not None
    assert job.state is State.ACTIVE


async def test_a_handler_that_blocks_the_event_loop_keeps_its_claim(jobs: Atode) -> None:
    # The rival lives in a thread of its own: the blocked loop could not reap anything.
    ran: list[str] = []

    @jobs.task
    async def blocking() -> None:
        ran.append("began")
        time.sleep(4)  # noqa: ASYNC251 - twice the lease
        ran.append("ended")

    ready, done = threading.Event(), threading.Event()
    lost = heard(jobs, ClaimLost)

    def rival() -> None:
        async def work() -> None:
            async with working(jobs, lease=2):
                ready.set()
                while not done.is_set():
                    await asyncio.sleep(0.01)

        asyncio.run(work())

    thread = threading.Thread(target=rival)
    handle: JobHandle[None] = await blocking.enqueue()
    try:
        async with working(jobs, lease=2):
            await until(lambda: ran)
            thread.start()
            await until_stored(handle, None)
    finally:
        done.set()
        thread.join(20)

    assert ready.is_set()
    assert ran == ["began", "ended"]
    assert lost == []


# Promises of the memory broker that these tests lean on


async def test_a_job_that_is_stored_just_before_the_promoter_sleeps_is_not_overslept(
    broker: FlakyBroker,
) -> None:
    assert await broker.promote(["default"]) is None
    await broker.enqueue(
        [Job("1", "note", "default", b"{}", state=State.SCHEDULED, due=time.time() + 0.01)]
    )

    async with asyncio.timeout(5):
        await broker.wait_due(["default"], until=None)
        await broker.wait(["other"], at_most=0.01)
