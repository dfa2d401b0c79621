import uuid

from atode.schedule import Entry, distinct, tick_id


def test_the_id_of_a_tick_is_the_same_everywhere() -> None:
    assert tick_id("nightly", 1_900_000_000.0) == tick_id("nightly", 1_900_000_000)
    assert tick_id("nightly", 1_900_000_000.0) == "01ba60d3-3800-8d1f-8d11-bd2750fa0caf"


def test_the_id_of_a_tick_is_a_uuid_of_version_eight() -> None:
    identity = uuid.UUID(tick_id("nightly", 1_900_000_000.0))

    assert (identity.version, identity.variant) == (8, uuid.RFC_4122)


def test_other_ticks_and_other_schedules_have_other_ids() -> None:
    instants = [1_900_000_000 + n / 1000 for n in range(100)]
    ids = {tick_id(schedule, at) for schedule in ("a", "b", "朝") for at in instants}

    assert len(ids) == 300


def test_ids_of_later_ticks_sort_later() -> None:
    ids = [tick_id("nightly", 1_900_000_000 + 60 * n) for n in range(100)]

    assert ids == sorted(ids)


def test_an_entry_that_several_show_is_listed_once() -> None:
    shown = [Entry("a", "", "", prev=1), Entry("b", "", ""), Entry("a", "", "", prev=2)]

    assert distinct(shown) == [Entry("a", "", "", prev=2), Entry("b", "", "")]
