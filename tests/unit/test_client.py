"""Storing calls, many at once too, and waiting for their results."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from atode import (
    Atode,
    BadPayload,
    BrokerRefused,
    BrokerUnavailable,
    DuplicateJob,
    Job,
    JobCancelled,
    JobFailed,
    JobHandle,
    ResultNotKept,
    ResultTimeout,
    Retry,
    State,
)
from atode.broker.memory import MemoryBroker
from atode.broker.protocol import Refused
from atode.client import Client
from atode.errors import BrokerError
from atode.events import Events
from atode.outcome import Failed, Outcome, Succeeded, decide
from atode.task import SyncTask
from atode.testing import FakeClock


class SlowBroker(MemoryBroker):
    """Counts round trips, each of which takes a few rounds of the loop; fails on demand."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.batches: list[int] = []
        self.error: Exception | None = None

    async def enqueue(self, jobs: Sequence[Job]) -> Sequence[Refused]:
        self.batches.append(len(jobs))
        for _ in range(3):
            await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return await super().enqueue(jobs)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def broker(clock: FakeClock) -> SlowBroker:
    return SlowBroker(clock)


@pytest.fixture
def client(broker: SlowBroker, clock: FakeClock) -> Client:
    return Client(broker, clock, Events())


@pytest.fixture
def square() -> SyncTask[[int], int]:
    @Atode("memory://").task
    def square(n: int) -> int:
        return n * n

    return square


async def end(broker: MemoryBroker, clock: FakeClock, outcome: Outcome) -> None:
    [claim] = await broker.claim(["default"], limit=1, lease=10, worker="w")
    await broker.settle([decide(claim, outcome, Retry(0), clock.now())])


# Coalescing


async def test_a_single_enqueue_is_stored_when_it_returns(
    client: Client, broker: SlowBroker, square: SyncTask[[int], int]
) -> None:
    handle = await client.enqueue(square.call(7))

    job = await client.get(handle.id)
    assert job is not None
    assert job.payload == b'{"n":7}'
    assert repr(handle) == f"<job {handle.id} of 'square' in 'default'>"


async def test_a_hundred_overlapping_enqueues_take_few_round_trips(
    client: Client, broker: SlowBroker, square: SyncTask[[int], int]
) -> None:
    handles = await asyncio.gather(*(client.enqueue(square.call(n)) for n in range(100)))

    assert len({handle.id for handle in handles}) == 100
    assert (await broker.counts("default"))[State.PENDING] == 100
    assert len(broker.batches) <= 2


async def test_enqueues_during_a_round_trip_share_the_next(
    client: Client, broker: SlowBroker, square: SyncTask[[int], int]
) -> None:
    first = asyncio.create_task(client.enqueue(square.call(0)))
    while not broker.batches:
        await asyncio.sleep(0)
    rest = [asyncio.create_task(client.enqueue(square.call(n))) for n in range(10)]
    await asyncio.gather(first, *rest)

    assert broker.batches == [1, 10]


async def test_a_caller_that_is_cancelled_in_its_round_trip_takes_nobody_along(
    client: Client, broker: SlowBroker, square: SyncTask[[int], int]
) -> None:
    first = asyncio.create_task(client.enqueue(square.call(0)))
    while not broker.batches:
        await asyncio.sleep(0)
    rest = [asyncio.create_task(client.enqueue(square.call(n))) for n in range(10)]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(*rest)
    await client.enqueue(square.call(11))

    assert first.cancelled()
    assert broker.batches == [1, 10, 1]


async def test_jobs_keep_the_order_in_which_they_were_enqueued(
    client: Client, broker: SlowBroker, square: SyncTask[[int], int]
) -> None:
    await asyncio.gather(*(client.enqueue(square.call(n)) for n in range(20)))

    claims = await broker.claim(["default"], limit=20, lease=10, worker="w")
    assert [claim.job.payload for claim in claims] == [b'{"n":%d}' % n for n in range(20)]


@pytest.mark.parametrize("kind", [BrokerUnavailable, BrokerRefused])
async def test_an_error_reaches_every_caller_as_an_exception_of_its_own(
    client: Client, broker: SlowBroker, square: SyncTask[[int], int], kind: type[BrokerError]
) -> None:
    broker.error = kind("down")
    broker.error.__cause__ = OSError("no route")

    errors = await asyncio.gather(
        *(client.enqueue(square.call(n)) for n in range(10)), return_exceptions=True
    )

    assert {(type(error), str(error)) for error in errors} == {(kind, "down")}
    assert len({id(error) for error in errors}) == 10
    assert all(isinstance(error, kind) and isinstance(error.__cause__, OSError) for error in errors)


async def test_an_error_that_cannot_be_copied_reaches_every_caller_too(
    client: Client, broker: SlowBroker, square: SyncTask[[int], int]
) -> None:
    class Particular(BrokerUnavailable):
        def __init__(self, host: str, port: int) -> None:
            super().__init__(f"{host}:{port} is down")

    broker.error = Particular("cache", 6379)

    async with asyncio.timeout(10):
        errors = await asyncio.gather(
            *(client.enqueue(square.call(n)) for n in range(3)), return_exceptions=True
        )

    assert [str(error) for error in errors] == ["cache:6379 is down"] * 3


async def test_after_an_error_the_next_enqueue_tries_again(
    client: Client, broker: SlowBroker, square: SyncTask[[int], int]
) -> None:
    broker.error = BrokerUnavailable("down")
    with pytest.raises(BrokerUnavailable):
        await client.enqueue(square.call(1))
    broker.error = None

    await client.enqueue(square.call(1))

    assert (await broker.counts("default"))[State.PENDING] == 1


async def test_of_two_jobs_with_one_id_in_a_batch_only_the_later_is_refused(
    client: Client, square: SyncTask[[int], int]
) -> None:
    results = await asyncio.gather(
        *(client.enqueue(square.options(id="same").call(n)) for n in (1, 2)),
        client.enqueue(square.call(3)),
        return_exceptions=True,
    )

    first, second, third = results
    assert isinstance(first, JobHandle)
    assert isinstance(second, DuplicateJob)
    assert isinstance(third, JobHandle)
    assert str(second) == (
        "Queue 'default' already holds a job with id 'same'; it was left as it is"
    )
    stored = await client.get("same")
    assert stored is not None
    assert stored.payload == b'{"n":1}'


async def test_the_same_id_in_another_queue_is_another_job(
    client: Client, square: SyncTask[[int], int]
) -> None:
    await client.enqueue(square.options(id="same").call(1))
    await client.enqueue(square.options(id="same", queue="mail").call(1))


async def test_a_cancelled_caller_does_not_disturb_the_others(
    client: Client, broker: SlowBroker, square: SyncTask[[int], int]
) -> None:
    callers = [asyncio.create_task(client.enqueue(square.call(n))) for n in range(5)]
    while not broker.batches:
        await asyncio.sleep(0)
    callers[0].cancel()

    results = await asyncio.gather(*callers, return_exceptions=True)

    assert isinstance(results[0], asyncio.CancelledError)
    assert all(isinstance(result, JobHandle) for result in results[1:])


# Many at once


async def test_enqueue_many_takes_one_round_trip_and_keeps_the_order(
    client: Client, broker: SlowBroker, square: SyncTask[[int], int]
) -> None:
    handles = await client.enqueue_many(square.call(n) for n in range(50))

    claims = await broker.claim(["default"], limit=50, lease=10, worker="w")
    assert broker.batches == [50]
    assert [handle.id for handle in handles] == [claim.job.id for claim in claims]


async def test_enqueue_many_of_nothing_is_nothing(client: Client) -> None:
    assert await client.enqueue_many([]) == []


async def test_enqueue_many_names_a_duplicate_and_stores_the_others(
    client: Client, broker: SlowBroker, square: SyncTask[[int], int]
) -> None:
    calls = [square.options(id=name).call(1) for name in ("a", "b", "a", "c")]

    with pytest.raises(DuplicateJob, match="'a'"):
        await client.enqueue_many(calls)

    assert (await broker.counts("default"))[State.PENDING] == 3


# Results


async def test_a_result_is_there_once_the_job_has_succeeded(
    client: Client, broker: SlowBroker, clock: FakeClock, square: SyncTask[[int], int]
) -> None:
    handle = await client.enqueue(square.call(7))
    await end(broker, clock, Succeeded(b"49"))

    assert await handle.result() == 49


async def test_a_caller_waits_until_the_job_has_ended(
    client: Client, broker: SlowBroker, clock: FakeClock, square: SyncTask[[int], int]
) -> None:
    handle = await client.enqueue(square.call(7))
    waiting = asyncio.create_task(handle.result(timeout=60))
    for _ in range(20):
        clock.advance(0.1)
        await asyncio.sleep(0)
    assert not waiting.done()

    await end(broker, clock, Succeeded(b"49"))
    while not waiting.done():
        clock.advance(0.1)
        await asyncio.sleep(0)

    assert waiting.result() == 49


async def test_a_result_that_is_not_there_in_time_is_a_timeout_and_never_early(
    client: Client, clock: FakeClock, square: SyncTask[[int], int]
) -> None:
    handle = await client.enqueue(square.call(7))
    began = clock.now()
    waiting = asyncio.create_task(handle.result(timeout=1))
    while not waiting.done():
        clock.advance(0.01)
        await asyncio.sleep(0)

    with pytest.raises(ResultTimeout, match="of task 'square' is pending after 1"):
        await waiting
    assert 1 <= clock.now() - began < 1.2


async def test_no_time_at_all_is_one_look(client: Client, square: SyncTask[[int], int]) -> None:
    handle = await client.enqueue(square.call(7))

    with pytest.raises(TimeoutError):
        await handle.result(timeout=0)


async def test_a_job_without_retention_has_no_result(
    client: Client, square: SyncTask[[int], int]
) -> None:
    handle = await client.enqueue(square.options(retention=0).call(7))

    with pytest.raises(ResultNotKept, match=r"keeps no result: enqueue it with options\(retention"):
        await handle.result()


async def test_a_job_that_is_gone_has_no_result(
    client: Client, broker: SlowBroker, clock: FakeClock, square: SyncTask[[int], int]
) -> None:
    handle = await client.enqueue(square.options(retention=5).call(7))
    await end(broker, clock, Succeeded(b"49"))
    clock.advance(6)
    await broker.prune(["default"])

    with pytest.raises(ResultNotKept, match="is not stored any more"):
        await handle.result()
    assert await handle.job() is None


async def test_a_cancelled_job_raises_that_it_was_cancelled(
    client: Client, square: SyncTask[[int], int]
) -> None:
    handle = await client.enqueue(square.call(2))

    assert await handle.cancel()
    assert not await handle.cancel()
    with pytest.raises(JobCancelled, match="of task 'square' was cancelled") as failure:
        await handle.result()

    assert isinstance(failure.value, JobFailed)
    assert not await client.cancel("never-heard-of")
    assert not await client.cancel(handle.id, "another queue")


async def test_an_archived_job_raises_with_its_error(
    client: Client, broker: SlowBroker, clock: FakeClock, square: SyncTask[[int], int]
) -> None:
    handle = await client.enqueue(square.options(max_retry=0).call(7))
    await end(broker, clock, Failed("ValueError: no luck"))

    with pytest.raises(JobFailed, match="of task 'square' failed: ValueError: no luck") as failure:
        await handle.result()
    assert (failure.value.job_id, failure.value.error) == (handle.id, "ValueError: no luck")


async def test_a_result_that_does_not_fit_the_annotation_is_refused(
    client: Client, broker: SlowBroker, clock: FakeClock, square: SyncTask[[int], int]
) -> None:
    handle = await client.enqueue(square.call(7))
    await end(broker, clock, Succeeded(b'"much"'))

    with pytest.raises(BadPayload, match="Result of task 'square'"):
        await handle.result()


async def test_an_outage_while_waiting_reaches_the_caller(
    client: Client, broker: SlowBroker, square: SyncTask[[int], int], monkeypatch: Any
) -> None:
    handle = await client.enqueue(square.call(7))

    async def fail(queue: str, job_id: str) -> None:
        raise BrokerUnavailable("down")

    monkeypatch.setattr(broker, "get", fail)

    with pytest.raises(BrokerUnavailable):
        await handle.result()
