"""The comparisons with other job queues run to their end. Who is faster is nobody's test."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
GO = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")

ROWS = [
    "run by one worker, 100 slots",
    "enqueued by 100 callers at once",
    "enqueued in bulk of 1,000",
    "idle latency p50",
    "idle latency p99",
    "idle latency, enqueued by Go p50",
    "idle latency, enqueued by Go p99",
    "delayed job's lateness min",
    "delayed job's lateness p50",
    "delayed job's lateness p99",
    "claim rate, 20,000 waiting, of 10,000",
    "server's time per 100 ms sleep, 100 slots",
    "server's time per 100 ms sleep, 10,000 slots",
    "server's time per 100 ms sleep, the second of the first",
    "settling, 10,000 active, of 100, in order",
    "settling, 10,000 active, of 100, in any order",
    "away after kill -9, lease 2 s",
]

BY_PEER = {
    "graphile-worker": "run by one worker, 100 slots",
    "PgQueuer": "run by one worker, 100 slots",
    "Huey": "run by two workers, 100 slots",
}

OURS = [
    "enqueued in bulk of 1,000",
    "idle latency p99",
    "rate while a snapshot is held for 1.2 s",
    "claim rate, 2,000 finished and kept",
    "claim rate, 2,000 waiting besides",
]


def versus(*options: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", "versus", "--quick", *options]
    # Without npm's folder, nothing is fetched.
    env = os.environ | ({} if path is None else {"PATH": path})
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=170)


@pytest.fixture(scope="module")
def report() -> str:
    """What a small run printed."""
    if GO is None and "CI" not in os.environ:
        pytest.skip("there is no Go on this machine to build asynq's peer with")

    done = versus("asynq")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "asynq: skipped" not in done.stdout
    return done.stdout


@pytest.mark.timeout(180)  # A first build fetches asynq and compiles it.
@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_printed(row: str, report: str) -> None:
    assert row in report


@pytest.mark.timeout(180)
def test_what_takes_minutes_is_measured_on_demand_only(report: str) -> None:
    assert "not measured" in report


def test_a_store_that_is_not_full_enough_is_refused_beside_asynq() -> None:
    done = versus("asynq", "--many", "2000", path=None)

    assert done.returncode == 2
    assert "--many" in done.stderr
    assert "10,000 or more" in done.stderr


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict[str, Any]]]:
    """What a small run on PostgreSQL and SQLite printed, and the rows of its file."""
    folder = tmp_path_factory.mktemp("versus")
    path = None if "CI" in os.environ and shutil.which("npm") else str(folder)
    file = folder / "figures.json"

    done = versus("postgres", "sqlite", "--many", "2000", "--json", str(file), path=path)

    assert done.returncode == 0, done.stdout + done.stderr
    skipped = "graphile-worker: skipped, no Node with npm on the PATH" in done.stdout
    assert skipped == (path is not None)
    rows = [row for contest in json.loads(file.read_text()) for row in contest["rows"]]
    return done.stdout, rows


@pytest.mark.timeout(180)  # npm fetches graphile-worker.
@pytest.mark.parametrize("row", OURS)
def test_every_row_of_the_databases_is_printed(
    row: str, databases: tuple[str, list[dict[str, Any]]]
) -> None:
    printed, _ = databases

    assert row in printed


@pytest.mark.timeout(180)
@pytest.mark.parametrize("peer", BY_PEER)
def test_every_peer_that_can_be_had_has_its_figure(
    peer: str, databases: tuple[str, list[dict[str, Any]]]
) -> None:
    printed, rows = databases
    [row] = [row for row in rows if row["name"] == BY_PEER[peer] and peer in row]

    assert len(row[peer]) == (f"{peer}: skipped" not in printed)
    assert len(row["atode"]) == 1
