import uuid

from atode.job import new_id


def test_an_id_is_a_uuid_of_version_seven() -> None:
    for _ in range(100):
        text = new_id()
        identity = uuid.UUID(text)

        assert (identity.version, identity.variant, str(identity)) == (7, uuid.RFC_4122, text)


def test_ids_differ() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_ids_begin_with_the_time_so_that_later_ones_sort_later() -> None:
    first, later = new_id(), new_id()

    assert first[:13] <= later[:13]
