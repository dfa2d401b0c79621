"""What all commands do about stores that are wrong, away, or odd."""

from pathlib import Path

import pytest

from atode.broker.memory import MemoryBroker
from atode.cli._deployment import must_exist, without_password
from atode.errors import BrokerRefused, BrokerUnavailable
from tests.unit.cli_stage import Stage, staged

COMMANDS = [
    ["queues"],
    ["queues", "show", "mail"],
    ["queues", "pause", "mail"],
    ["jobs", "list", "mail"],
    ["jobs", "show", "mail", "a"],
    ["jobs", "run", "mail", "a"],
    ["jobs", "edit", "mail", "a", "--payload", "{}"],
    ["servers"],
]
every_command = pytest.mark.parametrize("command", COMMANDS, ids=" ".join)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Failing(MemoryBroker):
    """Answers nothing."""

    error: Exception = BrokerUnavailable("Redis at cache:6379 refused the connection")

    async def open(self) -> None:
        raise self.error


class Odd(MemoryBroker):
    """Has something in it that nobody expects."""

    async def queues(self) -> list[str]:
        raise TypeError("not a list")

    workers = stats = get = queues  # type: ignore[assignment]


@every_command
def test_a_store_that_is_away_is_one_line_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    stage = staged(monkeypatch, Failing())

    assert stage.refuses(1, *command) == "Redis at cache:6379 refused the connection"


def test_an_answer_of_several_lines_becomes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Failing, "error", BrokerRefused("no\n  permission"))
    stage = staged(monkeypatch, Failing())

    assert stage.refuses(1, "queues") == "no permission"


def test_a_url_of_no_kind_is_exit_code_2(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    said = stage.refuses(2, "queues", "--url", "amqp://me:secret@host/")

    assert said.startswith("broker URL 'amqp://…' is of no known kind")


def test_a_password_is_never_shown(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()

    said = stage.refuses(2, "queues", "--url", "sqlite://me:secret@host/jobs.db")

    assert said.startswith("broker URL 'sqlite://me:***@host/jobs.db' names no file")


def test_the_migrating_command_hides_it_too(stage: Stage) -> None:
    url = "postgresql://me:hunter2@host/shop?schema=hunter2.x"

    assert stage.refuses(2, "migrate", "--url", url).startswith("PostgreSQL URL: schema is '***.x'")
    assert stage.refuses(2, "migrate", "--url", "amqp://host").startswith("broker URL 'amqp://…'")


@pytest.mark.parametrize(
    ("url", "text", "shown"),
    [
        ("redis://:p%40ss@host", "p%40ss and p@ss", "*** and ***"),
        ("redis://host?password=p%40ss&db=1", "p%40ss and p@ss", "*** and ***"),
        ("redis://me:a@cache", "redis://me:a@cache is away", "redis://me:***@cache is away"),
        ("redis://me:a@b@cache", "a@b", "***"),
        ("redis://cache", "redis://cache is away", "redis://cache is away"),
    ],
)
def test_a_password_is_hidden_as_it_is_written_and_as_it_is_meant(
    url: str, text: str, shown: str
) -> None:
    assert without_password(text, url) == shown


def test_looking_makes_no_database(
    stage: Stage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(folder)

    said = stage.refuses(1, "queues", "--url", "sqlite:///nothing.db")

    assert said.startswith("there is no database 'nothing.db' (--url, ATODE_URL or atode.toml)")
    assert list(folder.iterdir()) == []


def test_a_database_in_the_home_directory_is_found(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder))
    (folder / "jobs.db").touch()

    must_exist("sqlite:///~/jobs.db")

    with pytest.raises(BrokerUnavailable, match=str(folder / "other.db")):
        must_exist("sqlite:///~/other.db")


@pytest.mark.parametrize("command", [["queues"], ["servers"]], ids=" ".join)
def test_what_nobody_expects_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    stage = staged(monkeypatch, Odd())

    said = stage.refuses(1, *command)

    assert said == "what is stored cannot be read (TypeError: not a list)"


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return staged(monkeypatch)
