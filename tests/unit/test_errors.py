"""The tree of errors, and what their texts say."""

import inspect
from datetime import timedelta
from typing import Any

import pytest

from atode import errors
from atode.errors import (
    AtodeError,
    BadOption,
    DuplicateJob,
    DuplicateTask,
    JobFailed,
    PayloadTooLarge,
    Signal,
    Snooze,
    UnknownTask,
)

ALL = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if kind.__module__ == errors.__name__
]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_error_is_in_the_tree_at_the_top_of_the_module(kind: type[Exception]) -> None:
    tree = inspect.getdoc(errors)

    assert issubclass(kind, AtodeError)
    assert kind.__doc__
    assert tree is not None
    assert f"{kind.__name__} " in f"{tree.replace(chr(10), ' ')} "


def test_errors_can_be_caught_as_the_standard_ones_they_are() -> None:
    pairs = {
        errors.BadOption: ValueError,
        errors.BadArguments: TypeError,
        errors.UnknownTask: LookupError,
        errors.ResultTimeout: TimeoutError,
        errors.BrokerUnavailable: ConnectionError,
    }

    assert all(issubclass(ours, standard) for ours, standard in pairs.items())


def test_an_unknown_task_suggests_a_close_one() -> None:
    error = UnknownTask("mail:sent", ["mail:send", "report"])

    assert str(error) == (
        "No task named 'mail:sent' is registered here (2 are). Did you mean 'mail:send'? "
        "Import the module that defines it before the worker starts"
    )
    assert error.name == "mail:sent"


def test_an_unknown_task_suggests_nothing_where_nothing_is_close() -> None:
    assert "Did you mean" not in str(UnknownTask("x", ["mail:send"]))


def test_errors_carry_fields_and_not_only_text() -> None:
    too_large = PayloadTooLarge("Arguments of task 'a'", 2_000_000, 1_048_576)
    duplicate = DuplicateJob("mail", "7")
    failed = JobFailed("a", "7", "ValueError: no")
    taken = DuplicateTask("a", "shop.a", "shop.b")

    assert (too_large.size, too_large.limit) == (2_000_000, 1_048_576)
    assert (duplicate.queue, duplicate.job_id) == ("mail", "7")
    assert (failed.job_id, failed.error) == ("7", "ValueError: no")
    assert taken.name == "a"
    assert '@jobs.task("a2")' in str(taken)


@pytest.mark.parametrize(("delay", "seconds"), [(0, 0.0), (1.5, 1.5), (timedelta(minutes=1), 60.0)])
def test_a_snooze_takes_seconds_or_a_timedelta(delay: Any, seconds: float) -> None:
    snooze = Snooze(delay)

    assert snooze.delay == seconds
    assert isinstance(snooze, Signal)


@pytest.mark.parametrize("delay", [-1, 315_360_001, float("nan"), float("inf"), timedelta(days=-1)])
def test_a_snooze_out_of_range_is_refused(delay: Any) -> None:
    with pytest.raises(BadOption, match=r"^Snooze of .* s; it must be from 0 to 315,360,000 s"):
        Snooze(delay)
