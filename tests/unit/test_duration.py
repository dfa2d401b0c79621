"""Durations as users write them."""

from datetime import timedelta
from typing import Any

import pytest

from atode.duration import seconds
from atode.errors import BadOption


@pytest.mark.parametrize(
    ("value", "expected"), [(3, 3.0), (0.25, 0.25), (timedelta(minutes=1.5), 90.0), (0, 0.0)]
)
def test_numbers_and_timedeltas_become_seconds(value: Any, expected: float) -> None:
    found = seconds(value, "timeout")

    assert found == expected
    assert type(found) is float


@pytest.mark.parametrize("value", ["3", None, True, b"3", [3]], ids=repr)
def test_other_types_are_refused_by_name(value: Any) -> None:
    with pytest.raises(BadOption, match=r"^timeout is .*; it must be a number of seconds or a "):
        seconds(value, "timeout")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1, "1 s"), (11, "11 s"), (timedelta(days=1), "86400 s"), (-(10**400), "-inf s")],
)
def test_values_outside_the_limits_are_refused_with_both(value: Any, shown: str) -> None:
    with pytest.raises(BadOption, match=f"^lease is {shown}; it must be from 2 to 10 s$"):
        seconds(value, "lease", at_least=2, at_most=10)
