from atode.broker.postgres._marks import Marks

BEGINNING = float("-inf")


def test_a_look_begins_where_everything_before_is_taken() -> None:
    marks = Marks()
    marks.taken("mail", 7)

    assert marks.places(["mail", "default"], whole=False) == [7, BEGINNING]
    assert marks.places(["mail", "default"], whole=True) == [BEGINNING, BEGINNING]


def test_what_was_put_back_is_looked_for() -> None:
    marks = Marks()
    marks.taken("mail", 7)
    marks.forget("mail")
    marks.forget("never-heard-of")

    assert marks.places(["mail"], whole=False) == [BEGINNING]


def test_cheap_looks_from_the_beginning_are_always_allowed() -> None:
    marks = Marks()
    assert marks.may_look_whole()

    marks.looked_whole(0.001)

    assert marks.may_look_whole()
    assert marks.whole_look_in() == 0


def test_a_dear_look_from_the_beginning_is_followed_by_a_long_pause() -> None:
    marks = Marks()

    marks.looked_whole(3.0)

    assert not marks.may_look_whole()
    assert 50 < marks.whole_look_in() <= 60


def test_after_a_look_that_found_enough_the_next_ones_may_begin_later() -> None:
    marks = Marks()

    marks.looked_whole(0.004, found_enough=True)

    assert not marks.may_look_whole()
    assert 0 < marks.whole_look_in() <= 0.08
    assert marks.is_cheap


def test_a_dear_look_is_not_made_for_a_look_from_a_mark_that_found_too_little() -> None:
    marks = Marks()

    marks.looked_whole(3.0, found_enough=True)

    assert not marks.is_cheap
