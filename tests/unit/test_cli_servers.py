"""`atode servers` on a memory broker."""

import pytest

from atode.presence import Presence, Running
from tests.unit.cli_stage import Stage, staged


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return staged(monkeypatch)


@pytest.fixture
def two(stage: Stage) -> Stage:
    now = stage.clock.now()
    running = Running("job1", "mail:send", "mail", b'{"n":1}', now - 5, now + 25)
    weights = {"low": 1, "mail": 3}
    stage.beat(Presence("b:9:w2", "b", 9, 10, {"default": 1}, True, "stopped", now - 9000))
    stage.beat(Presence("a:7:w1", "a", 7, 20, weights, False, "active", now - 60, [running], 1))
    return stage


def test_without_workers_it_says_so(stage: Stage) -> None:
    assert stage.says("servers") == "no worker lives\n"
    assert stage.document("servers")["servers"] == []


def test_a_line_for_each_worker(two: Stage) -> None:
    heading, first, second = two.says("servers").splitlines()

    assert heading.split() == ["ID", "HOST", "PID", "STATUS", "BUSY", "QUEUES", "SINCE"]
    assert first.split("  ")[0] == "w1"
    assert "a       7  active   1/20  mail=3 low=1        2030-03-17 17:45:40+00:00 (1m" in first
    assert "b       9  stopped  0/10  default=1 (strict)  2030-03-17 15:16:40+00:00 (2h" in second


def test_their_jobs_on_demand(two: Stage) -> None:
    lines = two.says("servers", "--jobs").splitlines()

    assert [line.split() for line in lines[-2:]] == [
        ["JOB", "TASK", "QUEUE", "SERVER", "FOR", "LIMIT"],
        ["job1", "mail:send", "mail", "w1", "5s", "25s"],
    ]


def test_the_document_has_stable_keys(two: Stage) -> None:
    first, second = two.document("servers")["servers"]

    assert first == {
        "id": "a:7:w1",
        "server_id": "w1",
        "host": "a",
        "pid": 7,
        "status": "active",
        "queues": {"low": 1, "mail": 3},
        "strict": False,
        "busy": 1,
        "slots": 20,
        "since": "2030-03-17T17:45:40.000Z",
        "jobs": [
            {
                "id": "job1",
                "task": "mail:send",
                "queue": "mail",
                "since": "2030-03-17T17:46:35.000Z",
                "deadline": "2030-03-17T17:47:05.000Z",
                "payload": {"n": 1},
                "payload_base64": None,
            }
        ],
    }
    assert second["jobs"] == []


def test_a_narrow_terminal_gets_records(two: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")

    assert "queues  mail=3 low=1" in two.says("servers").splitlines()
