"""Places that jobs take: whose they are, for how long, and what is said where there can be none."""

import asyncio
import contextvars
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from atode import Atode, BadOption, Misused, Semaphore, Snooze
from atode.context import execution
from atode.job import Job
from atode.testing import FakeClock

MINUTE = 60.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def jobs(clock: FakeClock) -> Atode:
    return Atode("memory://", clock=clock)


@pytest.fixture
def payments(jobs: Atode) -> Semaphore:
    return jobs.semaphore("payments", limit=1)


@dataclass(frozen=True)
class Running:
    """An attempt that nobody completes in a transaction."""

    job: Job
    ends_at: float

    async def complete(self, result: object, transaction: object) -> None:
        raise NotImplementedError

    def complete_sync(self, result: object, transaction: object) -> None:
        raise NotImplementedError


def attempt(job_id: str, until: float = float("inf")) -> contextvars.Context:
    """Where the handler of this job runs."""
    context = contextvars.copy_context()
    context.run(execution.set, Running(Job(job_id, "charge", "default", b"{}"), until))
    return context


async def run_as(context: contextvars.Context, work: Callable[[], Any]) -> Any:
    return await asyncio.create_task(work(), context=context)


# Making one


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, "5"])
def test_a_limit_is_a_whole_number_from_one(jobs: Atode, limit: Any) -> None:
    with pytest.raises(BadOption, match=rf"semaphore 'pay' has limit {limit!r}; it must be 1 or"):
        jobs.semaphore("pay", limit=limit)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 201])
def test_a_name_is_printable_and_not_too_long(jobs: Atode, name: str) -> None:
    with pytest.raises(BadOption, match="must have 1 to 200 printable characters"):
        jobs.semaphore(name, limit=1)


@pytest.mark.parametrize("options", [{"or_snooze": -1}, {"lifetime": 0.5}, {"lifetime": "1"}])
def test_options_of_a_place_are_checked(payments: Semaphore, options: Any) -> None:
    with pytest.raises(BadOption, match=next(iter(options))):
        payments.slot(**options)


def test_it_says_what_it_is(payments: Semaphore) -> None:
    assert repr(payments) == "<semaphore 'payments' of 1>"
    assert (payments.scope, payments.limit) == ("payments", 1)


# Where there can be no place


async def test_outside_of_a_job_there_is_no_place(payments: Semaphore) -> None:
    with pytest.raises(Misused, match="'payments' is used outside of a job"):
        async with payments.slot():
            pass


def test_outside_of_a_job_there_is_none_in_a_thread_either(payments: Semaphore) -> None:
    with pytest.raises(Misused, match="'payments' is used outside of a job"), payments.slot():
        pass


async def test_an_event_loop_is_not_held_up(payments: Semaphore) -> None:
    with pytest.raises(Misused, match="write `async with`"), payments.slot():
        pass


async def test_a_job_without_an_end_has_to_say_how_long_its_place_is_good_for(
    payments: Semaphore, jobs: Atode, clock: FakeClock
) -> None:
    async def without() -> None:
        async with payments.slot():
            pass

    async def with_lifetime() -> bool:
        async with payments.slot(lifetime=timedelta(minutes=1)):
            clock.advance(59)
            before = await jobs.broker.take_place("payments", "b", limit=1, until=clock.now() + 1)
            clock.advance(1)
            after = await jobs.broker.take_place("payments", "b", limit=1, until=clock.now() + 1)
        return after and not before

    with pytest.raises(BadOption, match=r"a: .* neither timeout nor deadline.*slot\(lifetime="):
        await run_as(attempt("a: "), without)
    assert await run_as(attempt("a"), with_lifetime)


# Taking and giving back


async def test_who_finds_no_place_is_snoozed(payments: Semaphore, clock: FakeClock) -> None:
    until = clock.now() + MINUTE
    others: list[float] = []

    async def other() -> None:
        with pytest.raises(Snooze) as raised:
            async with payments.slot(or_snooze=2.5):
                pass
        others.append(raised.value.delay)

    async def first() -> None:
        async with payments.slot():
            await run_as(attempt("b", until), other)

    await run_as(attempt("a", until), first)

    assert others == [2.5]


async def test_a_place_is_free_again_whatever_happened_in_the_block(
    payments: Semaphore, clock: FakeClock
) -> None:
    until = clock.now() + MINUTE

    async def fail() -> None:
        async with payments.slot():
            raise ValueError("declined")

    for name in ("a", "b"):
        with pytest.raises(ValueError, match="declined"):
            await run_as(attempt(name, until), fail)


async def test_a_place_lasts_as_long_as_the_attempt(
    payments: Semaphore, jobs: Atode, clock: FakeClock
) -> None:
    taken: list[bool] = []

    async def hold() -> None:
        async with payments.slot():
            for _ in range(2):
                end = clock.now() + MINUTE
                taken.append(await jobs.broker.take_place("payments", "b", limit=1, until=end))
                clock.advance(30)

    await run_as(attempt("a", clock.now() + 30), hold)

    assert taken == [False, True]


async def test_the_next_attempt_of_a_job_that_crashed_has_its_place_still(
    jobs: Atode, payments: Semaphore, clock: FakeClock
) -> None:
    await jobs.broker.take_place("payments", "a", limit=1, until=clock.now() + MINUTE)
    entered: list[str] = []

    async def enter() -> None:
        async with payments.slot():
            entered.append("a")

    await run_as(attempt("a", clock.now() + 90), enter)

    assert entered == ["a"]


async def test_a_job_is_in_one_place_until_it_leaves_its_last_block(
    payments: Semaphore, jobs: Atode, clock: FakeClock
) -> None:
    until = clock.now() + MINUTE
    slot = payments.slot()
    taken: list[bool] = []

    async def look() -> None:
        taken.append(await jobs.broker.take_place("payments", "b", limit=1, until=until))

    async def hold() -> None:
        async with slot:
            async with slot, payments.slot(lifetime=5):
                await look()
            await look()
        await look()

    await run_as(attempt("a", until), hold)

    assert taken == [False, False, True]


def test_a_thread_takes_and_gives_back_a_place(
    payments: Semaphore, jobs: Atode, clock: FakeClock
) -> None:
    until = clock.now() + MINUTE

    def holders() -> bool:
        return asyncio.run(_is_free())

    async def _is_free() -> bool:
        async with jobs:
            free = await jobs.broker.take_place("payments", "b", limit=1, until=until)
            await jobs.broker.free_place("payments", "b", until=until)
            return free

    def hold() -> list[bool]:
        with payments.slot():
            inside = holders()
        return [inside, holders()]

    assert attempt("a", until).run(hold) == [False, True]
