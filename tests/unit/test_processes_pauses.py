"""Pauses before a process is started again."""

from atode.processes._pauses import GOOD_LIFE, LONGEST, Pauses


def test_after_a_good_life_there_is_no_pause() -> None:
    assert Pauses().after(GOOD_LIFE) == 0.0


def test_short_lives_one_after_the_other_make_pauses_that_grow_to_a_limit() -> None:
    pauses = Pauses()

    found = [pauses.after(0.1) for _ in range(9)]

    assert found[:4] == [0.5, 1.0, 2.0, 4.0]
    assert found == sorted(found)
    assert found[-1] == LONGEST


def test_a_good_life_makes_up_for_short_ones() -> None:
    pauses = Pauses()
    for _ in range(5):
        pauses.after(0.1)

    pauses.after(GOOD_LIFE + 1)

    assert pauses.after(0.1) == 0.5
