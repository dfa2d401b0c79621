"""When a schedule fires, and what its options may be."""

from datetime import timedelta
from typing import Any

import pytest

from atode.errors import BadOption, BadSchedule
from atode.ticks import CatchUp
from atode.timing import Overlap, Timing

NINE = 1_900_000_800.0  # 2030-03-17 18:00 UTC


def test_without_options_a_tick_is_made_up_for_once_and_may_overlap() -> None:
    timing = Timing.of("@hourly", {})

    assert (timing.catch_up, timing.catch_up_limit) == (CatchUp.LATEST, 100)
    assert (timing.overlap, timing.jitter, timing.grace) == (Overlap.ALLOW, 0.0, 60.0)
    assert timing.delay("nightly", NINE) == 0.0


def test_options_are_words_numbers_and_durations() -> None:
    timing = Timing.of(
        "0 9 * * *",
        {
            "timezone": "Asia/Tokyo",
            "catch_up": "all",
            "catch_up_limit": 3,
            "grace": timedelta(minutes=5),
            "overlap": "allow",
            "jitter": 30,
        },
    )

    assert timing == Timing.of(timing.cron.spec, timing.options())
    assert (timing.catch_up, timing.catch_up_limit, timing.grace) == (CatchUp.ALL, 3, 300.0)
    assert 0 < timing.delay("nightly", NINE) < 30


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"catch_up": "some"},
            "catch_up is 'some'; it must be one of 'none', 'latest', 'all'",
        ),
        ({"overlap": None}, "overlap is None; it must be one of 'allow', 'skip'"),
        ({"catch_up_limit": 0}, "catch_up_limit is 0; it must be from 1 to 1,000"),
        ({"catch_up_limit": True}, "catch_up_limit is True; it must be from 1 to 1,000"),
        ({"jitter": -1}, "jitter is -1 s; it must be from 0 to 315,360,000 s"),
        ({"grace": "1m"}, "grace is '1m'; it must be a number of seconds or a timedelta"),
        (
            {"timezone": "Asia/Tokio"},
            "time zone 'Asia/Tokio' is unknown; did you mean 'Asia/Tokyo'?",
        ),
        ({"tz": "UTC"}, "no such option: tz; there are catch_up,"),
        ({"catch_up": "all", "overlap": "skip"}, "take catch_up='latest', or overlap='allow'"),
    ],
)
def test_a_wrong_option_is_refused_with_its_limits(options: dict[str, Any], said: str) -> None:
    with pytest.raises(BadOption) as caught:
        Timing.of("@hourly", options)

    assert said in str(caught.value)


def test_a_wrong_expression_is_refused() -> None:
    with pytest.raises(BadSchedule, match="minute 61 is out of 0 to 59"):
        Timing.of("61 * * * *", {})


def test_instants_are_shown_as_the_schedule_s_clocks_show_them() -> None:
    timing = Timing.of("CRON_TZ=Asia/Tokyo 0 3 * * *", {})

    assert timing.local(NINE).isoformat() == "2030-03-18T03:00:00+09:00"
