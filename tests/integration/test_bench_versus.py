"""The comparison with Go's asynq runs to its end. Who is faster is nobody's test."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

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


def versus(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", "versus", "--quick", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170)


@pytest.fixture(scope="module")
def report() -> str:
    """What a small run printed."""
    if GO is None and "CI" not in os.environ:
        pytest.skip("there is no Go on this machine to build asynq's peer with")

    done = versus()

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
