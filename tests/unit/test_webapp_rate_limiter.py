"""Counting requests, and what is done while the place where they are counted is away."""

import asyncio
import logging

import pytest

from webapp.service.limits_rate_limiter import counted_here
from webapp.service.outage_log import OutageLog
from webapp.service.rate_limiter import CountsDown, Rate
from webapp.service.shared_rate_limiter import SharedRateLimiter

TWO_A_DAY = Rate(2, 86_400)


@pytest.mark.parametrize("text", ["1/second", "600/minute", "3000/hour", "10/day"])
def test_a_rate_is_read_and_told(text: str) -> None:
    amount, _, unit = text.partition("/")

    assert str(Rate.parse(text)) == f"{int(amount):,} per {unit}"


@pytest.mark.parametrize("text", ["", "5", "5/", "5/week", "x/day"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"rate|literal"):
        Rate.parse(text)


async def test_requests_pass_up_to_the_rate_and_refused_ones_do_not_count() -> None:
    limiter = counted_here()

    waits = [await limiter.take("one", TWO_A_DAY) for _ in range(5)]

    assert waits[:2] == [0, 0]
    assert all(0 < wait <= 86_400 for wait in waits[2:])
    assert await limiter.take("other", TWO_A_DAY) == 0


async def test_who_waits_as_long_as_told_passes() -> None:
    limiter, rate = counted_here(), Rate(3, 1)
    while not (wait := await limiter.take("one", rate)):
        pass

    await asyncio.sleep(wait + 0.01)

    assert await limiter.take("one", rate) == 0


class Away:
    """Counts that can be lost and found again."""

    def __init__(self) -> None:
        self.is_up = True
        self.asked = 0
        self._counts = counted_here()

    async def take(self, who: str, rate: Rate, cost: int = 1) -> float:
        self.asked += 1
        if not self.is_up:
            raise CountsDown("gone")
        return await self._counts.take(who, rate, cost)

    async def close(self) -> None:
        self.is_up = False


async def test_an_outage_is_told_once_asks_nobody_in_vain_and_passes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    shared = Away()
    outage = OutageLog("store of rate limits", "Redis at there:1", "Each server counts alone.")
    limiter = SharedRateLimiter(shared, counted_here(), outage)
    assert await limiter.take("one", TWO_A_DAY) == 0

    shared.is_up = False
    waits = [await limiter.take("one", TWO_A_DAY) for _ in range(3)]

    # It begins anew here, and only the first call asked there.
    assert [bool(wait) for wait in waits] == [False, False, True]
    assert shared.asked == 2
    assert caplog.messages == [
        "The store of rate limits is down: Redis at there:1: gone. Each server counts alone."
    ]

    shared.is_up = True
    watching = asyncio.create_task(limiter.watch())
    await asyncio.sleep(0.01)
    watching.cancel()

    assert caplog.messages[1].startswith("Redis at there:1 is back after")
    # What was counted before is still known, and looking whether it is there counts nothing.
    assert await limiter.take("one", TWO_A_DAY) == 0
    assert await limiter.take("one", TWO_A_DAY) > 0
    assert len(caplog.messages) == 2


async def test_the_watch_notices_an_outage_before_any_caller(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shared = Away()
    shared.is_up = False
    limiter = SharedRateLimiter(shared, counted_here(), OutageLog("store", "there:1", "So what."))
    watching = asyncio.create_task(limiter.watch())
    await asyncio.sleep(0.01)
    watching.cancel()

    assert await limiter.take("one", TWO_A_DAY) == 0

    assert shared.asked == 1
    assert len(caplog.messages) == 1
