"""`atode queues`, `jobs` and `servers`, as processes on an SQLite file."""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from atode import Atode
from atode.job import Job
from atode.presence import Presence, Running
from atode.testing.jobs import a_job
from tests.integration import program

URL = "sqlite:///jobs.db"


def atode(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return program.atode(folder, *arguments, ATODE_URL=URL)


def store(folder: Path, jobs: Sequence[Job], *presences: Presence) -> None:
    async def work() -> None:
        async with Atode(f"sqlite:///{folder / 'jobs.db'}") as app:
            await app.broker.enqueue(jobs)
            for presence in presences:
                await app.broker.beat(presence, lifetime=60)

    asyncio.run(work())


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A directory with a database in it."""
    late = a_job("mail", id="late", due=time.time() + 3600)
    store(tmp_path, [a_job("mail", id="one"), a_job("mail", id="two"), late])
    return tmp_path


def test_an_operator_looks_and_acts(shop: Path) -> None:
    paused = atode(shop, "queues", "pause", "mail")
    moved = atode(shop, "jobs", "archive", "mail", "one")
    edited = atode(shop, "jobs", "edit", "mail", "late", "--payload", '{"n": 2}')
    hurried = atode(shop, "jobs", "run", "mail", "--all", "scheduled", "--yes")
    [queue] = json.loads(atode(shop, "queues", "--json").stdout)["queues"]
    pending = json.loads(atode(shop, "jobs", "list", "mail", "--json").stdout)["jobs"]

    assert [each.stdout for each in (paused, moved, edited, hurried)] == [
        "queue mail is paused\n",
        "1 job archived\n",
        "job late has a new payload\n",
        "1 job made pending\n",
    ]
    assert queue["paused"]
    assert {state: count for state, count in queue["counts"].items() if count} == {
        "pending": 2,
        "archived": 1,
    }
    assert [(job["id"], job["payload"]) for job in pending] == [
        ("two", {"n": 1}),
        ("late", {"n": 2}),
    ]


def test_a_removed_queue_is_gone(shop: Path) -> None:
    unasked = atode(shop, "queues", "remove", "mail", "--force")
    removed = atode(shop, "queues", "remove", "mail", "--force", "--yes")

    assert (unasked.returncode, unasked.stderr.splitlines()[-1]) == (
        1,
        "atode: nothing was changed",
    )
    assert removed.stdout == "queue mail is removed\n"
    assert atode(shop, "queues").stdout == "no queue has been used yet\n"


def test_living_workers_and_their_jobs_are_shown(shop: Path) -> None:
    now = time.time()
    running = Running("one", "demo", "mail", b"{}", now - 100, now + 100)
    store(shop, [], Presence("h:1:w", "h", 1, 4, {"mail": 2}, False, "active", now, [running], 1))

    shown = atode(shop, "servers", "--jobs")

    assert shown.returncode == 0
    words = shown.stdout.split()
    assert words[words.index("1/4") + 1] == "mail=2"
    assert words[words.index("one") :][:5] == ["one", "demo", "mail", "w", "1m"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["queues", "--url", "sqlite:///other.db"], 1, "there is no database 'other.db'"),
        (["queues", "--url", "sqlite:///broken.db"], 1, ""),
        (["queues", "--url", "redis://:secret@localhost:1/0"], 1, "Redis at localhost:1 refused"),
        (["servers", "--url", "ftp://x"], 2, "broker URL 'ftp://…' is of no known kind"),
        (["queues", "show", "mial"], 2, "there is no queue 'mial'; did you mean 'mail'?"),
        (["jobs", "show", "mail", "tow"], 2, "queue 'mail' has no job 'tow'"),
    ],
)
def test_an_error_is_one_line(shop: Path, arguments: list[str], code: int, message: str) -> None:
    (shop / "broken.db").write_text("this is no database" * 100)

    result = atode(shop, *arguments)

    assert result.returncode == code
    assert result.stderr.startswith(f"atode: {message}")
    assert len(result.stderr.splitlines()) == 1
    assert "secret" not in result.stderr


def test_watching_ends_with_ctrl_c(shop: Path) -> None:
    command = [str(program.ATODE), "queues", "--watch", "0.1", "--json"]
    with subprocess.Popen(
        command,
        cwd=shop,
        env=program.environment(ATODE_URL=URL),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        looks = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=program.PATIENCE)

    assert [look["queues"][0]["queue"] for look in looks] == ["mail"] * 3
    assert (process.returncode, errors) == (0, b"")
