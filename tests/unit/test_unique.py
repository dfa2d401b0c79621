"""Jobs that are to be the only ones of their kind, as callers meet them."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from atode import Atode, BadOption, NotUnique


@pytest.fixture
def jobs() -> Atode:
    return Atode("memory://")


async def test_a_call_that_does_the_same_is_refused_and_names_the_job_in_the_way(
    jobs: Atode,
) -> None:
    @jobs.task
    async def greet(name: str) -> None: ...

    once = greet.options(unique_for=60)
    first = await once.enqueue("Ada")
    await once.enqueue("Grace")

    with pytest.raises(NotUnique, match=first.id) as refusal:
        await once.enqueue("Ada")
    with pytest.raises(NotUnique, match=first.id):
        await jobs.enqueue_many([once.call("Ada")])

    assert (refusal.value.job_id, refusal.value.queue) == (first.id, "default")


async def test_of_overlapping_calls_that_do_the_same_one_is_stored(jobs: Atode) -> None:
    @jobs.task
    async def greet(name: str) -> None: ...

    once = greet.options(unique_for=timedelta(minutes=1))
    answers = await asyncio.gather(
        *(once.enqueue("Ada") for _ in range(50)), return_exceptions=True
    )

    assert sum(isinstance(answer, NotUnique) for answer in answers) == 49


@pytest.mark.parametrize("wrong", [0, 0.5, -1, True, "1h"])
async def test_a_lock_lasts_a_second_at_least(jobs: Atode, wrong: Any) -> None:
    @jobs.task
    async def greet(name: str) -> None: ...

    with pytest.raises(BadOption, match="unique_for"):
        await greet.options(unique_for=wrong).enqueue("Ada")
