"""The queues of a worker, and the order of its looks."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atode.errors import BadOption
from atode.queues import Queues, checked_queue_name

WEIGHTS = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3), st.integers(1, 1_000_000), min_size=1, max_size=6
)


@given(WEIGHTS, st.booleans())
def test_every_look_has_every_queue_once(weights: dict[str, int], strict: bool) -> None:
    assert sorted(Queues(weights, strict=strict).order()) == sorted(weights)


@given(WEIGHTS)
def test_strict_queues_come_by_descending_weight(weights: dict[str, int]) -> None:
    order = Queues(weights, strict=True).order()

    assert [weights[name] for name in order] == sorted(weights.values(), reverse=True)


@pytest.mark.parametrize("weights", [{"a": 6, "b": 3, "c": 1}, {"a": 1, "b": 1}, {"a": 99, "b": 1}])
def test_a_queue_comes_first_as_often_as_its_weight_says(weights: dict[str, int]) -> None:
    random.seed(20_300_317)
    queues = Queues(weights)
    looks = 20_000

    first = Counter(queues.order()[0] for _ in range(looks))

    for name, weight in weights.items():
        assert first[name] / looks == pytest.approx(weight / sum(weights.values()), abs=0.02)


def test_a_single_queue_needs_no_draw() -> None:
    state = random.getstate()

    assert Queues({"default": 3}).order() == ["default"]
    assert random.getstate() == state


def test_entries_of_the_command_line_are_names_with_weights() -> None:
    queues = Queues.parse(["mail=3", "default"], strict=True)

    assert queues.weights == {"mail": 3, "default": 1}
    assert queues.strict


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "a worker needs at least one queue; the usual one is 'default'"),
        ([""], "queue name '' is blank"),
        (["=3"], "queue name '' is blank"),
        (["mail="], "queue entry 'mail=': the weight after '=' must be a number"),
        (["mail=high"], "queue entry 'mail=high': the weight after '=' must be a number"),
        (["mail=-1"], "queue entry 'mail=-1': the weight after '=' must be a number"),
        (["mail=0"], "queue 'mail' has weight 0; it must be from 1 to 1,000,000"),
        (["mail=1000001"], "queue 'mail' has weight 1000001; it must be from 1 to 1,000,000"),
    ],
)
def test_bad_entries_are_refused_with_what_is_wrong(entries: list[str], message: str) -> None:
    with pytest.raises(BadOption, match=f"^{message}$"):
        Queues.parse(entries)


@pytest.mark.parametrize("name", ["default", "メール", "a:b", "a b", "x" * 200])
def test_ordinary_names_are_queue_names(name: str) -> None:
    assert checked_queue_name(name) == name


@pytest.mark.parametrize("name", ["", "\t", "a{", "}", "a\0", "\ud800", "x" * 201, None, 7])
def test_names_that_would_break_a_store_are_refused(name: Any) -> None:
    with pytest.raises(BadOption, match="queue name"):
        checked_queue_name(name)
