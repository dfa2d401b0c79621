"""Where settings come from, and what their refusals say."""

from pathlib import Path
from typing import Any

import pytest

from atode import BadOption
from atode.settings import LogFormat, Settings, load


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without a file, in an environment without variables."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ATODE_{name.upper()}", raising=False)
    return tmp_path


def test_without_anything_the_defaults_hold() -> None:
    settings = load()

    assert settings.url == "sqlite:///atode.db"
    assert (settings.concurrency, settings.lease, settings.shutdown_timeout) == (20, 15.0, 30.0)
    assert (settings.queues, settings.strict) == ({"default": 1}, False)


def test_an_argument_wins_over_the_environment_over_the_file_over_the_default(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "atode.toml").write_text("concurrency = 2\nlease = 20\nstrict = true\n")
    monkeypatch.setenv("ATODE_CONCURRENCY", "3")
    monkeypatch.setenv("ATODE_LEASE", "30")

    settings = load(concurrency=4, lease=None)

    assert settings.concurrency == 4
    assert settings.lease == 30
    assert settings.strict is True
    assert settings.shutdown_timeout == 30


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("mail=3,default", {"mail": 3, "default": 1}),
        (" mail = 3 ", None),
        ("mail=3, default , ", {"mail": 3, "default": 1}),
    ],
)
def test_queues_in_the_environment_are_names_with_weights(
    monkeypatch: pytest.MonkeyPatch, text: str, weights: dict[str, int] | None
) -> None:
    monkeypatch.setenv("ATODE_QUEUES", text)

    if weights is None:
        with pytest.raises(BadOption, match="must be a number"):
            load()
    else:
        assert load().queues == weights


def test_queues_in_the_file_are_a_table(folder: Path) -> None:
    (folder / "atode.toml").write_text("[queues]\nmail = 3\ndefault = 1\n")

    assert load().queues == {"mail": 3, "default": 1}


def test_where_metrics_are_served_may_be_a_number_in_the_file(folder: Path) -> None:
    (folder / "atode.toml").write_text('metrics = 9400\nlog = "json"\n')

    settings = load()

    assert (settings.metrics, settings.log) == ("9400", LogFormat.JSON)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"concurrency": 0}, "concurrency is 0: Input should be greater than or equal to 1"),
        ({"concurrency": "many"}, "concurrency is 'many': Input should be a valid integer"),
        ({"lease": 1}, "lease is 1: Input should be greater than or equal to 2"),
        ({"shutdown_timeout": -1}, "shutdown_timeout is -1: Input should be greater than"),
        ({"queues": {}}, "queues is {}: "),
        ({"queues": {"a": "x"}}, "queues.a is 'x': Input should be a valid integer"),
        ({"concurency": 3}, "concurency is 3: Extra inputs are not permitted"),
    ],
)
def test_a_refusal_names_the_option_its_value_and_where_to_look(
    given: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadOption) as refusal:
        load(**given)

    assert str(refusal.value).startswith(message)
    assert str(refusal.value).endswith("(argument, ATODE_… variable or atode.toml)")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ATODE_CONCURRENCY", "none", "concurrency is 'none'"),
        ("ATODE_STRICT", "perhaps", "strict is 'perhaps'"),
        ("ATODE_QUEUES", "mail=high", "queues is 'mail=high': .*the weight after '='"),
        ("ATODE_QUEUES", " , ", "queues is ' , ': .*at least one queue"),
    ],
)
def test_a_bad_variable_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(BadOption, match=message):
        load()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("concurency = 3\n", "concurency is 3: Extra inputs are not permitted"),
        ("lease = 'long'\n", "lease is 'long'"),
        ("lease = \n", "atode.toml is not TOML: .*line 1"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(folder: Path, text: str, message: str) -> None:
    (folder / "atode.toml").write_text(text)

    with pytest.raises(BadOption, match=message):
        load()


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(BadOption, match=r"concurrency is 0: .*; lease is 1: "):
        load(concurrency=0, lease=1)


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().concurrency = 3  # pyright: ignore[reportAttributeAccessIssue]


def test_other_variables_with_our_prefix_are_none_of_our_business(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ATODE_SOMETHING_ELSE", "1")

    assert load().concurrency == 20
