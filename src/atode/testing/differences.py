"""In what brokers may differ: promises that most of them keep, and some do not.

A suite names what its broker does instead (`differences`); the tests of that promise are
expected to fail then, and the machine of `machine.py` looks less closely. What nobody names
is the same everywhere.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Any])


class Promise(StrEnum):
    """What a broker does unless it says otherwise."""

    DURABLE = "jobs outlive the process that stored them"
    EXAMINED = "`atode doctor` finds what is wrong with queues"
    TRANSACTIONAL = "`transaction=` stores jobs in a transaction of yours"
    RUNG_AT_COMMIT = "its commit wakes a waiting worker at once"
    FRACTIONS = "timeouts, deadlines and retentions keep their fractions of a second"
    INSTANTS = "when a job failed or was completed is kept to the millisecond"
    LISTED = "delayed jobs are listed by their exact instants"
    WAITING = "since when a job waits is known after it was handed back"
    JOINED = "members of a group that joined within one second keep their order"
    PLACES = "a place in a semaphore is free at its instant"
    LOCK_TIMES = "the lock of a unique job ends by the clock that the worker has"
    SIZES = "`atode queues` tells how many bytes a queue takes"


Differences = Mapping[Promise, str]
"""What a broker does instead of what it does not promise."""


def promised(promise: Promise) -> Callable[[Test], Test]:
    """Marks a test of the contract as one of this promise."""

    def mark(test: Test) -> Test:
        vars(test)["promise"] = promise
        return test

    return mark


class Declared:
    """A suite whose broker may say in what it differs."""

    differences: ClassVar[Differences] = {}

    @pytest.fixture(autouse=True)
    def _differs(self, request: pytest.FixtureRequest) -> None:
        # More than a skip: what is called a difference has to be one.
        promise: Promise | None = getattr(request.function, "promise", None)
        if promise and promise in self.differences:
            reason = f"{promise}: {self.differences[promise]}"
            mark = pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True)
            request.applymarker(mark)
