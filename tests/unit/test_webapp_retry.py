"""The retry strategy of the application's jobs."""

import pytest

from atode import Retry
from webapp.jobqueue.retry_strategy import RetryStrategy


def pauses(retry: Retry, count: int) -> list[list[float]]:
    return [[retry.pause(number) for _ in range(200)] for number in range(count)]


def test_five_attempts_are_four_retries() -> None:
    assert RetryStrategy().retry().times == 4
    assert RetryStrategy().timeout == 300


def test_pauses_double_up_to_the_cap_and_vary_by_a_tenth() -> None:
    for expected, seen in zip(
        [1, 2, 4, 8, 16, 16, 16], pauses(RetryStrategy().retry(), 7), strict=True
    ):
        assert expected * 0.9 <= min(seen) < max(seen) <= expected * 1.1


def test_fixed_pauses_stay_and_vary_by_a_tenth() -> None:
    for seen in pauses(RetryStrategy(kind="fixed", first=3).retry(), 5):
        assert 2.7 <= min(seen) < max(seen) <= 3.3


@pytest.mark.parametrize("kind", ["exponential", "fixed"])
def test_without_jitter_they_are_exact(kind: str) -> None:
    assert RetryStrategy(kind=kind, jitter=0).retry().pause(0) == 1


def test_a_job_may_have_another_number_of_retries() -> None:
    assert RetryStrategy().retry(10).times == 10
