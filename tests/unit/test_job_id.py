import uuid
from itertools import pairwise

from atode.job import new_id


def test_an_id_is_a_uuid_of_version_seven() -> None:
    for _ in range(100):
        text = new_id()
        identity = uuid.UUID(text)

        assert (identity.version, identity.variant, str(identity)) == (7, uuid.RFC_4122, text)


def test_ids_differ() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_later_ids_sort_later_within_a_millisecond_too() -> None:
    ids = [new_id() for _ in range(10_000)]

    # The part after the time is random, and clocks may step back; hence not all, but nearly.
    inversions = sum(before > after for before, after in pairwise(ids))
    assert inversions < 10
