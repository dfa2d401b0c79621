"""When the members of a group have waited long enough; there is no broker here."""

import pytest

from atode.group import Group, Limits, is_ripe

NOW = 1_900_000_000.0
LIMITS = Limits(max_size=100, max_delay=10.0, grace=2.0)


def a_group(size: int = 1, *, oldest: float = 0.0, newest: float = 0.0) -> Group:
    """A group whose first and last member joined so many seconds ago."""
    return Group("default", "g", size, NOW - oldest, NOW - newest, "digest")


@pytest.mark.parametrize(
    ("size", "oldest", "newest", "ripe"),
    [
        (99, 9.9, 1.9, False),
        (100, 0.0, 0.0, True),
        (101, 0.0, 0.0, True),
        (2, 10.0, 0.0, True),
        (2, 10.5, 0.5, True),
        (1, 2.0, 2.0, True),
        (2, 5.0, 2.5, True),
        (2, 5.0, -1.0, False),  # the clock of whoever stored it is ahead
    ],
)
def test_size_delay_and_grace_each_suffice(
    size: int, oldest: float, newest: float, ripe: bool
) -> None:
    assert is_ripe(a_group(size, oldest=oldest, newest=newest), LIMITS, NOW) is ripe


def test_without_a_longest_delay_a_group_that_grows_waits() -> None:
    limits = LIMITS._replace(max_delay=None)

    assert not is_ripe(a_group(99, oldest=86_400, newest=1), limits, NOW)
    assert is_ripe(a_group(99, oldest=86_400, newest=2), limits, NOW)


def test_without_grace_whatever_is_there_is_enough() -> None:
    assert is_ripe(a_group(), LIMITS._replace(grace=0.0), NOW)
    assert is_ripe(a_group(), LIMITS._replace(max_delay=0.0), NOW)
