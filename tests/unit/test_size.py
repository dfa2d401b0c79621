"""Sizes of workers, and wishes for them."""

import pytest

from atode import Atode, BadOption
from atode.size import Wish, checked_concurrency, grown


@pytest.mark.parametrize("right", [1, 20, 10_000])
def test_a_size_in_its_limits_is_taken(right: int) -> None:
    assert checked_concurrency(right) == right


@pytest.mark.parametrize("wrong", [0, -1, 10_001])
def test_a_size_out_of_its_limits_is_named_with_them(wrong: int) -> None:
    with pytest.raises(BadOption, match=f"concurrency is {wrong}; it must be from 1 to 10,000"):
        checked_concurrency(wrong)


@pytest.mark.parametrize("wrong", [True, 2.0, "2", None])
def test_what_is_no_whole_number_is_no_size(wrong: int) -> None:
    with pytest.raises(BadOption, match="must be a whole number"):
        checked_concurrency(wrong)


@pytest.mark.parametrize(
    ("before", "by", "after"), [(20, 1, 21), (20, -3, 17), (1, -1, 1), (9_999, 5, 10_000)]
)
def test_a_size_grows_and_shrinks_within_its_limits(before: int, by: int, after: int) -> None:
    assert grown(before, by) == after


def test_a_wish_comes_back_as_it_was_written() -> None:
    wish = Wish.of(50)

    assert Wish.from_json(wish.to_json()) == wish
    assert Wish.from_json(wish.to_json().encode()) == wish


def test_no_two_wishes_are_the_same() -> None:
    assert Wish.of(50) != Wish.of(50)


@pytest.mark.parametrize(
    "rubbish",
    [
        *(None, "", b"", b"\xff", "null", "5", "[]", "{", "{}", '{"concurrency": 5}'),
        *('{"concurrency": 0, "id": "a"}', '{"concurrency": "5", "id": "a"}'),
    ],
)
def test_rubbish_is_no_wish(rubbish: str | bytes | None) -> None:
    assert Wish.from_json(rubbish) is None


async def test_an_impossible_size_is_refused_before_the_store_hears_of_it() -> None:
    jobs = Atode("memory://")

    with pytest.raises(BadOption, match="concurrency is 0"):
        await jobs.resize("h:1:w", 0)
    with pytest.raises(BadOption, match="concurrency is 10001"):
        jobs.worker().resize(10_001)
