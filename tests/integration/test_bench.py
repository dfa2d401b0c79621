"""The benchmarks run to their end. How fast they are is nobody's test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

ROWS = [
    "plain Python loop",
    "bare INSERT, 1,000 per transaction",
    "enqueued one by one",
    "enqueued by 100 callers at once",
    "enqueued in bulk of 1,000",
    "run by one worker, 100 slots",
    "idle latency p50",
    "idle latency p99",
    "delayed job's lateness min",
    "delayed job's lateness p50",
    "delayed job's lateness p99",
]


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", "--quick", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str]]:
    """What a small run printed, and the names of the rows in its file."""
    file = tmp_path_factory.mktemp("bench") / "figures.json"

    done = bench("--broker", "sqlite", "--jobs", "400", "--json", str(file))

    assert done.returncode == 0, done.stdout + done.stderr
    [store] = json.loads(file.read_text())["stores"]
    return done.stdout, [row["name"] for row in store["rows"]]


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_printed(row: str, report: tuple[str, list[str]]) -> None:
    printed, _ = report

    assert row in printed


def test_the_file_has_the_rows_that_are_printed(report: tuple[str, list[str]]) -> None:
    printed, names = report

    # Above the rows: the machine, an empty line, the store.
    assert len(printed.splitlines()) - 3 == len(names)
    assert set(ROWS) <= set(names)


def test_a_store_that_cannot_be_had_is_skipped_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    done = bench("--broker", "redis")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "redis: skipped, no redis-server or valkey-server on the PATH" in done.stdout
