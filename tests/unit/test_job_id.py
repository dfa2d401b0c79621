import multiprocessing
import os
import uuid
from itertools import pairwise

import pytest

from atode.job import new_id


def test_an_id_is_a_uuid_of_version_seven() -> None:
    for _ in range(100):
        text = new_id()
        identity = uuid.UUID(text)

        assert (identity.version, identity.variant, str(identity)) == (7, uuid.RFC_4122, text)


def test_ids_differ() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks on this system")
def test_a_fork_has_noise_of_its_own() -> None:
    new_id()
    with multiprocessing.get_context("fork").Pool(1) as child:
        theirs = child.apply(_noises)

    assert not theirs & {new_id()[20:] for _ in range(1000)}


def _noises() -> set[str]:
    return {new_id()[20:] for _ in range(1000)}


def test_later_ids_sort_later_within_a_millisecond_too() -> None:
    ids = [new_id() for _ in range(10_000)]

    # The part after the time is random, and clocks may step back; hence not all, but nearly.
    inversions = sum(before > after for before, after in pairwise(ids))
    assert inversions < 10
