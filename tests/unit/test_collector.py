import gc
from collections.abc import Iterator

import pytest

from atode.processes._collector import calm


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_what_is_there_is_not_searched_again() -> None:
    gc.set_threshold(700, 10, 10)

    calm()

    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold()[0] >= 10_000


@pytest.mark.parametrize("chosen", [0, 50_000])
def test_fewer_searches_that_somebody_asked_for_stay(chosen: int) -> None:
    gc.set_threshold(chosen)

    calm()

    assert gc.get_threshold()[0] == chosen
