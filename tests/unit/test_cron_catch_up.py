"""Which ticks become jobs after a while without workers, and when each of those starts."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atode.cron import Cron
from atode.errors import BadOption
from atode.ticks import CatchUp, jitter, ticks_to_run

MINUTE = Cron.parse("* * * * *")
NOW = 1_767_268_800.0
POLICIES = st.sampled_from(CatchUp)


def ago(*minutes: int) -> list[float]:
    return [NOW - 60 * minute for minute in minutes]


def test_without_catching_up_missed_ticks_are_skipped() -> None:
    assert ticks_to_run(MINUTE, NOW - 600, NOW, CatchUp.NONE) == [NOW]
    assert ticks_to_run(MINUTE, NOW - 600, NOW + 20, CatchUp.NONE, grace=10) == []


def test_a_tick_within_the_grace_was_not_missed() -> None:
    assert ticks_to_run(MINUTE, NOW - 600, NOW + 20, CatchUp.NONE, grace=20.1) == [NOW]
    assert ticks_to_run(MINUTE, NOW - 60, NOW + 5, CatchUp.NONE) == [NOW]
    assert ticks_to_run(MINUTE, NOW, NOW + 5, CatchUp.NONE) == []


def test_the_latest_tick_stands_for_all_that_were_missed() -> None:
    assert ticks_to_run(MINUTE, NOW - 600, NOW + 20, CatchUp.LATEST, grace=10) == [NOW]
    assert ticks_to_run(Cron.parse("@daily"), NOW - 7 * 86_400, NOW) == [1_767_225_600]


def test_all_missed_ticks_are_made_up_for_the_latest_at_the_limit() -> None:
    assert ticks_to_run(MINUTE, NOW - 180, NOW + 20, CatchUp.ALL) == ago(2, 1, 0)
    assert ticks_to_run(MINUTE, NOW - 600, NOW, CatchUp.ALL, limit=2) == ago(1, 0)
    assert len(ticks_to_run(MINUTE, 0, NOW, CatchUp.ALL)) == 100


@pytest.mark.parametrize("policy", CatchUp)
def test_a_new_schedule_begins_with_its_next_tick(policy: CatchUp) -> None:
    assert ticks_to_run(MINUTE, None, NOW, policy) == []


@pytest.mark.parametrize("policy", CatchUp)
def test_a_clock_that_was_put_back_repeats_no_tick(policy: CatchUp) -> None:
    assert ticks_to_run(MINUTE, NOW, NOW - 600, policy) == []


@given(POLICIES, st.floats(0, 10_000), st.floats(0, 10_000), st.integers(1, 50))
def test_ticks_to_run_are_new_due_ascending_and_within_the_limit(
    policy: CatchUp, away: float, late: float, limit: int
) -> None:
    last, now = NOW, NOW + away + late

    found = ticks_to_run(MINUTE, last, now, policy, limit=limit)

    assert all(last < tick <= now for tick in found)
    assert list(found) == sorted(set(found))
    assert len(found) <= (limit if policy is CatchUp.ALL else 1)
    assert not found or now - found[-1] < 60
    assert found or policy is CatchUp.NONE or now - last < 60


@given(POLICIES, st.floats(0, 5000))
def test_every_tick_becomes_a_job_of_a_worker_that_looks_often(
    policy: CatchUp, start: float
) -> None:
    last, found = NOW + start, list[float]()
    for look in range(1, 200):
        new = ticks_to_run(MINUTE, last, NOW + start + look * 7, policy)
        found += new
        last = new[-1] if new else last

    assert found == MINUTE.due(NOW + start, NOW + start + 199 * 7, 1000)


@pytest.mark.parametrize("limit", [0, 1001])
def test_limits_out_of_range_are_refused(limit: int) -> None:
    with pytest.raises(BadOption, match=f"^limit is {limit}; it must be from 1 to 1,000$"):
        ticks_to_run(MINUTE, 0, NOW, limit=limit)


def test_a_negative_grace_is_refused() -> None:
    with pytest.raises(BadOption, match=r"^grace is -1 s"):
        ticks_to_run(MINUTE, 0, NOW, grace=-1)


# Jitter


def test_jitter_is_the_same_on_every_machine() -> None:
    assert jitter("nightly", NOW, 60) == 45.091861306036535


@given(st.text(max_size=20), st.floats(0, 4e9), st.floats(0, 1e6))
def test_jitter_is_from_nothing_to_below_its_spread(
    schedule: str, tick: float, spread: float
) -> None:
    assert 0 <= jitter(schedule, tick, spread) <= spread
    assert jitter(schedule, tick, 0) == 0


def test_jitter_spreads_schedules_and_ticks_evenly() -> None:
    by_name = [jitter(f"report {number}", NOW, 10) for number in range(1000)]
    by_tick = [jitter("report", tick, timedelta(seconds=10)) for tick in MINUTE.next(1000, NOW)]

    for found in (by_name, by_tick):
        assert max(found) < 10
        counts = [sum(second <= each < second + 1 for each in found) for second in range(10)]
        assert all(60 < count < 140 for count in counts)


def test_a_negative_jitter_is_refused() -> None:
    with pytest.raises(BadOption, match=r"^jitter is -1 s"):
        jitter("nightly", NOW, -1)
