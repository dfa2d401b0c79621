"""The options of schedules, as asynq writes them (the protocol's section 12.3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atode.broker.redis._entries import option_texts, read_options
from atode.schedule import EntryOptions

ALL = EntryOptions("low", 3, 1800.0, 86_400.0, 3600.0, ('Group("g")',))


def test_options_are_written_in_asynqs_words() -> None:
    assert option_texts(ALL) == [
        'Queue("low")',
        "MaxRetry(3)",
        "Timeout(30m0s)",
        "Unique(1h0m0s)",
        "Retention(24h0m0s)",
        'Group("g")',
    ]


def test_options_are_read_back() -> None:
    assert read_options(option_texts(ALL)) == ALL
    assert read_options([]) == EntryOptions()


@pytest.mark.parametrize(
    "text",
    [
        "Deadline(Mon Jan  2 15:04:05 UTC 2006)",
        'Header(["k","v"])',
        "MaxRetry(many)",
        "Timeout(soon)",
        "Queue(low)",
        "Later",
        "",
    ],
)
def test_what_is_not_understood_is_kept_as_it_is(text: str) -> None:
    assert read_options([text, "MaxRetry(3)"]) == EntryOptions(max_retry=3, others=(text,))


def test_nothing_without_a_parenthesis_is_written_since_it_would_crash_gos_readers() -> None:
    assert option_texts(EntryOptions(others=("Later", "", "x()"))) == ['Queue("default")', "x()"]


@pytest.mark.parametrize(
    ("text", "queue"),
    [
        (r'Queue("a\"b\\c")', 'a"b\\c'),
        (r'Queue("a\tb\x29\u00e9\U0001f600\101")', "a\tb)é😀A"),
        ('Queue("朝")', "朝"),
        ('Queue("a)b(c")', "a)b(c"),
        (r"Queue(`a\b`)", r"a\b"),
    ],
)
def test_the_name_of_a_queue_is_read_in_all_of_gos_spellings(text: str, queue: str) -> None:
    assert read_options([text]).queue == queue


@given(st.text())
def test_any_name_of_a_queue_is_read_back(name: str) -> None:
    [text] = option_texts(EntryOptions(name))

    assert read_options([text]).queue == name
    # Go's readers take what is between the first two of these.
    assert text.isprintable()
    assert text.index(")") == len(text) - 1
