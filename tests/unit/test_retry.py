"""How long to wait before the next attempt, and which errors end a job at once."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atode import BadOption, Permanent, Retry, asynq, exponential, fixed
from atode.duration import TEN_YEARS
from atode.retry import MOST_RETRIES

RETRIED = st.integers(0, MOST_RETRIES)


# Curves


def test_exponential_doubles_up_to_its_cap() -> None:
    curve = exponential(1, cap=16, jitter=0)

    assert [curve(retried) for retried in range(7)] == [1, 2, 4, 8, 16, 16, 16]


def test_exponential_takes_timedeltas_and_other_factors() -> None:
    curve = exponential(timedelta(minutes=1), factor=3, cap=timedelta(hours=1), jitter=0)

    assert [curve(retried) for retried in range(5)] == [60, 180, 540, 1620, 3600]


def test_a_slowly_growing_curve_reaches_its_cap_too() -> None:
    curve = exponential(1, factor=1.01, cap=3600, jitter=0)

    assert curve(2000) == 3600


@given(
    RETRIED,
    st.floats(0, 1e6),
    st.floats(1, 1e300),
    st.floats(0, TEN_YEARS),
    st.floats(0, 1),
)
def test_exponential_stays_within_its_jitter_of_the_cap(
    retried: int, first: float, factor: float, cap: float, jitter: float
) -> None:
    delay = exponential(first, factor=factor, cap=cap, jitter=jitter)(retried)

    assert 0 <= delay <= cap * (1 + jitter)


@given(st.integers(0, 5))
def test_jitter_spreads_around_the_delay(retried: int) -> None:
    curve = exponential(10, jitter=0.1)
    middle = 10 * 2**retried

    delays = [curve(retried) for _ in range(50)]

    assert all(0.9 * middle <= delay <= 1.1 * middle + 1e-9 for delay in delays)
    assert len(set(delays)) > 1


@given(RETRIED)
def test_fixed_never_changes(retried: int) -> None:
    assert fixed(7)(retried) == 7
    assert fixed(timedelta(seconds=7))(retried) == 7
    assert 3.5 <= fixed(7, jitter=0.5)(retried) <= 10.5


@given(st.integers(0, 100))
def test_asynqs_curve_has_the_bounds_of_gos(retried: int) -> None:
    delay = asynq()(retried)

    assert retried**4 + 15 <= delay <= retried**4 + 15 + 29 * (retried + 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: exponential(-1), "first is -1 s; it must be from 0"),
        (lambda: exponential(cap=-1), "cap is -1 s; it must be from 0"),
        (lambda: exponential(factor=0.5), "factor is 0.5; it must be at least 1"),
        (lambda: exponential(factor=float("nan")), "factor is nan; it must be at least 1"),
        (lambda: exponential(jitter=1.5), "jitter is 1.5; it must be from 0 to 1"),
        (lambda: fixed(1, jitter=-0.1), "jitter is -0.1; it must be from 0 to 1"),
        (lambda: fixed(float("inf")), "delay is inf s; it must be from 0"),
    ],
)
def test_a_curve_out_of_range_is_refused(make: Any, message: str) -> None:
    with pytest.raises(BadOption, match=message):
        make()


# Policies


@given(RETRIED)
def test_a_pause_is_never_negative_nor_beyond_ten_years(retried: int) -> None:
    assert 0 <= Retry(5, asynq()).pause(retried) <= TEN_YEARS
    assert Retry(5, lambda n: -1.0).pause(retried) == 0
    assert Retry(5, lambda n: 1e300).pause(retried) == TEN_YEARS


def test_the_usual_policy_starts_with_a_second() -> None:
    assert Retry().times == 25
    assert 0.9 <= Retry().pause(0) <= 1.1


@pytest.mark.parametrize("times", [-1, 2**31, 1.5, True, "3", None])
def test_a_number_of_retries_that_cannot_be_is_refused(times: Any) -> None:
    with pytest.raises(BadOption, match=r"it must be a whole number from 0 to 2,147,483,647"):
        Retry(times)


@pytest.mark.parametrize("kinds", [ValueError, (ValueError(),), ["ValueError"], (int,)], ids=repr)
def test_give_up_on_must_name_exception_types(kinds: Any) -> None:
    with pytest.raises(BadOption, match=r"it must be a tuple of exception types, such as"):
        Retry(3, give_up_on=kinds)


def test_a_delay_that_is_no_curve_is_refused_with_the_way_out() -> None:
    seconds: Any = 10

    with pytest.raises(BadOption, match=r"delay is 10; it must be a curve, such as fixed\(10\)"):
        Retry(3, seconds)


@pytest.mark.parametrize(
    ("error", "permanent"),
    [
        (Permanent("no"), True),
        (KeyError("no"), True),
        (LookupError("no"), True),
        (ValueError("no"), False),
        (SystemExit(), False),
    ],
    ids=repr,
)
def test_permanent_and_the_types_to_give_up_on_end_a_job(
    error: BaseException, permanent: bool
) -> None:
    assert Retry(3, give_up_on=(LookupError,)).is_permanent(error) is permanent


def test_permanent_needs_no_mention() -> None:
    assert Retry(3).is_permanent(Permanent("no"))
