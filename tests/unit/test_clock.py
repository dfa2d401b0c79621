"""The system clock, the fake one, and waiting for whichever comes first."""

import asyncio
import threading
import time

import pytest

from atode.clock import SystemClock, wait_until
from atode.testing import FakeClock


async def rounds(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


# The system clock


async def test_the_system_clock_never_wakes_before_the_instant() -> None:
    clock = SystemClock()

    for _ in range(20):
        instant = clock.now() + 0.002
        await clock.sleep_until(instant)
        assert clock.now() >= instant


async def test_an_instant_that_has_passed_is_not_waited_for() -> None:
    began = time.monotonic()

    await SystemClock().sleep_until(0)

    assert time.monotonic() - began < 1


async def test_a_clock_that_is_stepped_on_is_noticed_after_a_nap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SystemClock()
    monkeypatch.setattr("atode.clock._LONGEST_NAP", 0.001)
    tomorrow = clock.now() + 86_400
    sleeping = asyncio.create_task(clock.sleep_until(tomorrow))
    await rounds()

    monkeypatch.setattr("time.time", lambda: tomorrow)

    async with asyncio.timeout(10):
        await sleeping


# The fake clock


async def test_the_fake_clock_stands_still_until_it_is_moved() -> None:
    clock = FakeClock(100)
    sleeping = asyncio.create_task(clock.sleep_until(105))
    await rounds()

    clock.advance(4.999)
    await rounds()
    assert not sleeping.done()

    clock.advance(0.001)
    await sleeping
    assert clock.now() == pytest.approx(105)


async def test_sleepers_wake_in_the_order_of_their_instants() -> None:
    clock = FakeClock(0)
    woken: list[int] = []

    async def sleep(instant: int) -> None:
        await clock.sleep_until(instant)
        woken.append(instant)

    sleepers = [asyncio.create_task(sleep(instant)) for instant in (3, 1, 2, 1)]
    await rounds()
    clock.advance(10)
    await asyncio.gather(*sleepers)

    assert woken == [1, 1, 2, 3]


async def test_a_sleeper_that_was_cancelled_is_passed_over() -> None:
    clock = FakeClock(0)
    sleeping = asyncio.create_task(clock.sleep_until(1))
    await rounds()
    sleeping.cancel()
    await rounds()

    clock.advance(1)
    await rounds()

    assert sleeping.cancelled()


def test_sleepers_on_another_threads_loop_are_woken_too() -> None:
    clock = FakeClock(0)
    asleep, woken = threading.Event(), threading.Event()

    async def sleep() -> None:
        asyncio.get_running_loop().call_soon(asleep.set)
        await clock.sleep_until(1)
        woken.set()

    thread = threading.Thread(target=asyncio.run, args=(sleep(),))
    thread.start()
    assert asleep.wait(10)
    clock.advance(1)
    thread.join(10)

    assert woken.is_set()


# wait_until


async def test_wait_until_returns_when_the_event_is_set() -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(wait_until(event, 10, FakeClock(0)))
    await rounds()

    event.set()

    assert await waiting is True


async def test_wait_until_returns_at_the_instant() -> None:
    clock = FakeClock(0)
    waiting = asyncio.create_task(wait_until(asyncio.Event(), 10, clock))
    await rounds()

    clock.advance(10)

    assert await waiting is False


async def test_wait_until_an_instant_that_has_passed_says_how_things_are() -> None:
    event = asyncio.Event()

    assert await wait_until(event, 0, FakeClock(0)) is False
    event.set()
    assert await wait_until(event, 0, FakeClock(0)) is True
    assert await wait_until(event, 99, FakeClock(0)) is True


async def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    before = asyncio.all_tasks()
    waiting = asyncio.create_task(wait_until(asyncio.Event(), 10, FakeClock(0)))
    await rounds()

    waiting.cancel()
    await rounds()

    assert waiting.cancelled()
    assert asyncio.all_tasks() == before
