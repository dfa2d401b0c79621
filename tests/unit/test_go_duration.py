import pytest
from hypothesis import given
from hypothesis import strategies as st

from atode.go_duration import from_go, in_go


# As Go's time.Duration prints itself.
@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (1800, "30m0s"),
        (3600, "1h0m0s"),
        (86_400, "24h0m0s"),
        (3723.5, "1h2m3.5s"),
        (45, "45s"),
        (0.1, "100ms"),
        (0.0015, "1.5ms"),
        (2e-6, "2µs"),
        (3e-9, "3ns"),
        (1.000000001, "1.000000001s"),
        (-90, "-1m30s"),
    ],
)
def test_a_duration_is_written_as_go_writes_it(seconds: float, text: str) -> None:
    assert in_go(seconds) == text
    assert from_go(text) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *[("1h30m", 5400), ("1.5h", 5400), ("90m", 5400), ("1m1m", 120), ("+5s", 5)],
        *[(".5s", 0.5), ("1us", 1e-6), ("1μs", 1e-6), ("0", 0), ("-0", 0)],
    ],
)
def test_other_spellings_of_go_are_read(text: str, seconds: float) -> None:
    assert from_go(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "s", "1d", "1h30", "1 h", "--1s", "1.s.", "one", "٣s"])
def test_what_go_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration such as"):
        from_go(text)


@given(st.integers(0, 10**15))
def test_what_is_written_is_read_back(milliseconds: int) -> None:
    seconds = milliseconds / 1000

    assert from_go(in_go(seconds)) == pytest.approx(seconds, abs=1e-9, rel=1e-15)
