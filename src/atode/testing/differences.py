"""In what brokers may differ: promises that most of them keep, and some do not.

A suite names what its broker does instead (`differences`); the tests of that promise have to
fail then, and the machine of `machine.py` looks less closely. What nobody names is the same
everywhere.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

import pytest

Test = TypeVar("Test", bound=Callable[..., Any])


class Promise(StrEnum):
    """What a broker does unless it says otherwise."""

    TRANSACTIONAL = "`transaction=` stores jobs in a transaction of yours"
    EXAMINED = "`atode doctor` finds out why jobs stand still"
    SIZES = "`atode queues` tells how many bytes a queue takes, roughly"
    FRACTIONS = "timeouts, deadlines and retentions keep fractions of a second"
    INSTANTS = "it is known to the millisecond when a job failed or was completed"
    LISTED = "delayed jobs are listed in the order of their instants"
    WAITING = "it is known since when a job waits that was handed back"
    JOINED = "members of a group come in the order in which they joined"
    LATENESS = "a delayed job that moves while it is pending still tells when it was due"
    SUCCESSORS = "a late settlement leaves a later job of the same id alone"
    PLACES = "a place in a semaphore is free again at its instant"
    LOCK_TIMES = "the lock of a unique job ends by the clock that its worker has"


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
        promise: Promise | None = getattr(request.function, "promise", None)
        if promise and promise in self.differences:
            reason = f"{promise}: {self.differences[promise]}"
            # More than a skip: what is called a difference has to be one.
            failure = (AssertionError, LookupError)
            request.applymarker(pytest.mark.xfail(reason=reason, raises=failure, strict=True))
