"""`atode doctor`, on stores in real trouble."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from atode.broker.protocol import Broker
from atode.broker.sqlite.broker import SqliteBroker
from atode.cli.main import app
from atode.finding import Severity
from atode.job import Job
from atode.presence import Presence
from tests.servers.redis import RedisServer, free_port
from tests.servers.redis_store import RedisStore

SERVED = Presence("h:1:w", "h", 1, 9, {"default": 1}, False, "active", 1.0)


@pytest.fixture(autouse=True)
def without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("ATODE_URL", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with a job and a worker."""
    path = tmp_path / "jobs.db"

    async def fill(broker: Broker) -> None:
        await broker.enqueue([Job("j1", "demo", "default", b"{}")])
        await broker.beat(SERVED, lifetime=60)

    do(SqliteBroker(path), fill)
    return path


def do(broker: Broker, work: Callable[[Broker], Awaitable[object]]) -> None:
    async def run() -> None:
        await work(broker)
        await broker.close()

    asyncio.run(run())


def doctor(url: str | Path, *options: str) -> Result:
    named = f"sqlite:///{url}" if isinstance(url, Path) else url
    return CliRunner().invoke(app, ["doctor", "--url", named, *options])


def test_nothing_wrong_is_one_line_and_exit_code_0(file: Path) -> None:
    result = doctor(file)

    assert (result.exit_code, result.stdout) == (0, "nothing is wrong\n")


def test_the_document_of_a_store_that_is_well(file: Path) -> None:
    result = doctor(file, "--json")

    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (document["healthy"], document["findings"], document["mended"]) == (True, [], [])
    assert document["at"].endswith("Z")


def test_what_is_wrong_comes_with_its_remedy_and_exit_code_1(file: Path) -> None:
    do(SqliteBroker(file), lambda broker: broker.leave(SERVED))

    result = doctor(file)

    assert result.exit_code == 1
    assert result.stdout == (
        "error: queue default: no living worker serves it, and jobs wait: 1 pending\n"
        "  start one: atode worker MODULE:APP --queue default\n"
        "\n"
        "1 error, 0 warnings\n"
    )


def test_good_to_know_is_not_wrong(file: Path) -> None:
    do(SqliteBroker(file), lambda broker: broker.pause("default"))

    result = doctor(file)

    assert result.exit_code == 0
    assert result.stdout.startswith("info: queue default: it is paused\n")
    assert result.stdout.endswith("nothing is wrong\n")


def test_the_document_has_stable_keys(file: Path) -> None:
    do(SqliteBroker(file), lambda broker: broker.leave(SERVED))

    result = doctor(file, "--json")

    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["healthy"] is False
    assert document["findings"] == [
        {
            "severity": "error",
            "code": "no-worker",
            "subject": "queue default",
            "queue": "default",
            "what": "no living worker serves it, and jobs wait: 1 pending",
            "remedy": "start one: atode worker MODULE:APP --queue default",
            "fixable": False,
        }
    ]


def test_a_fix_says_what_it_did_and_what_is_left(redis_url: str, redis_store: RedisStore) -> None:
    redis_store.do("SADD", "asynq:queues", "default")
    redis_store.do("LPUSH", "asynq:{default}:pending", "ghost")

    before = doctor(redis_url)
    fixed = doctor(redis_url, "--fix")
    again = doctor(redis_url, "--fix", "--json")

    assert "2 errors, 1 warning; --fix puts 1 of them right\n" in before.stdout
    assert fixed.stdout.startswith("mended: queue default: ids without a job dropped: 1\n")
    assert fixed.stdout.endswith("0 errors, 1 warning\n")
    assert [result.exit_code for result in (before, fixed, again)] == [1, 1, 1]
    assert json.loads(again.stdout)["mended"] == []
    assert redis_store.dump() == {"asynq:queues": {"default"}}


def test_a_fix_of_everything_ends_with_0(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("UPDATE jobs SET state = 'active', lease_until = 4e9")
        db.commit()

    before, fixed = doctor(file), doctor(file, "--fix")

    assert before.exit_code == 1
    assert (fixed.exit_code, fixed.stdout) == (
        0,
        "mended: queue default: leases ended, so that a worker recovers the jobs: 1\n"
        "nothing is wrong\n",
    )


def test_the_worst_comes_first(redis_url: str, redis_store: RedisStore) -> None:
    redis_store.do("LPUSH", "asynq:{mail}:pending", "ghost")
    redis_store.do("SET", "asynq:{mail}:paused", "1")

    document = json.loads(doctor(redis_url, "--json").stdout)

    severities = [Severity(each["severity"]) for each in document["findings"]]
    assert severities == sorted(severities, key=list(Severity).index)
    assert set(severities) == set(Severity)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://:hunter2@127.0.0.1:{port}/0", "refused the connection"),
        ("sqlite:///no/such/file.db", "there is no database"),
        ("ftp://x", "is of no known kind"),
    ],
)
def test_a_store_that_cannot_be_looked_at_ends_with_2(url: str, message: str) -> None:
    result = doctor(url.format(port=free_port()))

    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "hunter2" not in result.stderr


def test_a_password_that_is_wrong_ends_with_2() -> None:
    with RedisServer("--requirepass", "right") as server:
        result = doctor(server.url.replace("//", "//:hunter2@"))

    assert result.exit_code == 2
    assert "does not accept the user name or password" in result.stderr
    assert "hunter2" not in result.stderr


def test_a_file_that_no_worker_could_open_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "jobs.db").write_text("no database\n" * 20)

    result = doctor(tmp_path / "jobs.db")

    assert result.exit_code == 1
    assert "it is not an SQLite database" in result.stdout


def test_memory_is_always_well() -> None:
    assert doctor("memory://").exit_code == 0


async def test_names_from_a_store_cannot_move_the_cursor(
    redis_url: str, redis_store: RedisStore
) -> None:
    redis_store.do("SADD", "asynq:queues", "\x1b[2J")
    redis_store.do("LPUSH", "asynq:{\x1b[2J}:pending", "ghost\x1b[0m")

    result = await asyncio.to_thread(doctor, redis_url)

    assert "\x1b" not in result.stdout
    assert "\\x1b[2J" in result.stdout
