"""`atode queues` on a memory broker."""

import json
import time
from collections.abc import Mapping

import pytest

from atode.broker.memory import MemoryBroker
from atode.errors import BrokerRefused, BrokerUnavailable
from atode.job import State
from atode.outcome import Succeeded
from atode.statistics import QueueStats
from atode.testing.jobs import a_job, take
from tests.unit.cli_stage import Stage, staged


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return staged(monkeypatch)


def counts(**given: int) -> Mapping[str, int]:
    return {str(state): given.get(state, 0) for state in State}


# Looking


def test_without_queues_it_says_so(stage: Stage) -> None:
    assert stage.says("queues") == "no queue has been used yet\n"
    assert stage.document("queues") == {"at": "2030-03-17T17:46:40.000Z", "queues": []}


def test_a_line_for_each_queue(stage: Stage) -> None:
    stage.store(a_job(), a_job(), a_job("mail", due=stage.clock.now() + 60))
    stage.end()
    stage.clock.advance(3725)
    stage.do(stage.broker.pause("mail"))

    heading, default, mail = stage.says("queues").splitlines()

    states = [state.upper() for state in State if state is not State.AGGREGATING]
    figures = ["OLDEST", "PROCESSED", "FAILED", "SHARE", "PAUSED"]
    assert heading.split() == ["QUEUE", *states, *figures]
    assert " ".join(default.split()) == "default 1 0 0 1 0 0 1h 2m 1 1 100.0% no"
    assert " ".join(mail.split()) == "mail 0 1 0 0 0 0 - 0 0 - yes"


def test_columns_are_aligned_also_below_wide_letters(stage: Stage) -> None:
    stage.store(a_job("メール"), a_job("a"))

    _, first, second = stage.says("queues").splitlines()

    assert first.startswith("a             1")
    assert second.startswith("メール        1")


@pytest.mark.parametrize("width", [20, 40, 79])
def test_a_narrow_terminal_gets_records(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    stage.store(a_job("mail"), a_job())

    lines = stage.says("queues").splitlines()

    assert "queue      mail" in lines
    assert "pending    1" in lines
    assert max(map(len, lines)) <= width


def test_a_pipe_has_no_width(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS")
    stage.store(a_job("q" * 200))

    assert len(stage.says("queues").splitlines()) == 2


def test_control_characters_are_shown_and_not_obeyed(stage: Stage) -> None:
    stage.store(a_job("red\x1b[31m\nline"))

    shown = stage.says("queues")

    assert r"red\x1b[31m\nline" in shown
    assert "\x1b" not in shown


def test_the_document_has_stable_keys(stage: Stage) -> None:
    stage.store(a_job(), a_job())
    stage.end()
    stage.end(Succeeded())
    stage.store(a_job())
    stage.clock.advance(1.5)

    [queue] = stage.document("queues")["queues"]

    assert queue == {
        "queue": "default",
        "size": 2,
        "counts": counts(pending=1, retry=1),
        "paused": False,
        "waiting_since": "2030-03-17T17:46:40.000Z",
        "waiting_seconds": 1.5,
        "processed": 2,
        "failed": 1,
        "failure_share": 0.5,
        "memory_bytes": None,
        "error": None,
    }


class HalfBroken(MemoryBroker):
    """Has a queue whose figures cannot be read."""

    async def stats(self, queue: str) -> QueueStats | None:
        if queue == "bad":
            raise BrokerRefused("WRONGTYPE")
        if queue == "odd":
            raise ValueError("no number")
        return await super().stats(queue)


def test_a_broken_queue_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = staged(monkeypatch, HalfBroken())
    stage.store(a_job("bad"), a_job("good"), a_job("odd"))

    shown = stage.says("queues")
    document = stage.document("queues")

    assert "\ngood " in shown
    assert "queue bad: WRONGTYPE\n\nqueue odd: cannot be read (ValueError: no number)" in shown
    assert [each["error"] and each["error"][:6] for each in document["queues"]] == [
        "WRONGT",
        None,
        "cannot",
    ]


def test_show_has_figures_and_history(stage: Stage) -> None:
    stage.store(a_job("mail"), a_job("mail"))
    stage.end(Succeeded(), queue="mail")
    stage.clock.advance(86_400)

    shown = stage.says("queues", "show", "mail", "--days", "2")
    document = stage.document("queues", "show", "mail", "--days", "2")

    assert "next waits since  2030-03-17 17:46:40+00:00 (1d ago)" in shown
    assert "processed         1\n" in shown
    assert [line.split() for line in shown.splitlines()[-3:]] == [
        ["DAY", "PROCESSED", "FAILED", "SHARE"],
        ["2030-03-18", "0", "0", "-"],
        ["2030-03-17", "1", "0", "0.0%"],
    ]
    assert document["queue"] == "mail"
    assert document["history"] == [
        {"date": "2030-03-18", "processed": 0, "failed": 0},
        {"date": "2030-03-17", "processed": 1, "failed": 0},
    ]


# Watching


def test_watching_looks_again_until_it_is_interrupted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        stage.clock.advance(seconds)
        if len(naps) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", nap)
    stage.store(a_job())

    lines = stage.says("queues", "--json", "--watch", "2").splitlines()

    assert naps == [2, 2, 2]
    assert [json.loads(line)["queues"][0]["waiting_seconds"] for line in lines] == [0, 2, 4]


def test_watching_outlives_an_outage(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []

    async def away(self: MemoryBroker) -> list[str]:
        raise BrokerUnavailable("Redis at cache:6379 refused the connection")

    def nap(seconds: float) -> None:
        naps.append(seconds)
        monkeypatch.setattr(MemoryBroker, "queues", away)
        if len(naps) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", nap)

    result = stage.ask("queues", "--watch", "1")

    assert result.exit_code == 0
    assert result.stderr == "atode: Redis at cache:6379 refused the connection\n"


# Operating


def test_pause_and_resume_say_what_changed(stage: Stage) -> None:
    stage.store(a_job("mail"))

    said = [
        stage.says("queues", verb, "mail").strip()
        for verb in ("pause", "pause", "resume", "resume")
    ]

    assert said == [
        "queue mail is paused",
        "queue mail was paused already",
        "queue mail goes on",
        "queue mail was not paused",
    ]


@pytest.mark.parametrize("verb", ["show", "pause", "resume", "remove"])
def test_an_unknown_queue_is_answered_with_close_names(stage: Stage, verb: str) -> None:
    stage.store(a_job("mail"), a_job("reports"))

    said = stage.refuses(2, "queues", verb, "mial")

    assert said == "there is no queue 'mial'; did you mean 'mail'?"
    assert stage.refuses(2, "queues", verb, "x") == "there is no queue 'x'; there are mail, reports"
    assert stage.do(stage.broker.queues()) == ["mail", "reports"]


def test_an_unknown_queue_where_there_is_none(stage: Stage) -> None:
    said = stage.refuses(2, "queues", "show", "mail")

    assert said == "there is no queue 'mail'; no queue has been used yet"


def test_removing_asks_first(stage: Stage) -> None:
    stage.store(a_job("mail"))
    command = ("queues", "remove", "mail", "--force")

    assert stage.refuses(1, *command, typed="n\n") == "nothing was changed"
    assert stage.refuses(1, *command, typed="") == "nothing was changed"
    assert stage.do(stage.broker.queues()) == ["mail"]
    assert "queue mail is removed" in stage.says(*command, typed="y\n")
    assert stage.do(stage.broker.queues()) == []


def test_removing_refuses_what_would_lose_jobs(stage: Stage) -> None:
    stage.store(a_job("mail"))

    said = stage.refuses(1, "queues", "remove", "mail", "--yes")
    stage.do(take(stage.broker, "mail"))
    said_of_active = stage.refuses(1, "queues", "remove", "mail", "--yes", "--force")

    assert said == "queue 'mail' holds 1 job; --force removes that, too"
    assert said_of_active == "queue 'mail' has 1 running job; pause it and wait"


# Errors


def test_options_of_the_group_are_not_silently_dropped(stage: Stage) -> None:
    said = stage.refuses(2, "queues", "--url", "memory://", "show", "mail")

    assert said == "options come after the command: atode queues show …"


# Groups


def test_a_line_for_each_group_the_oldest_first(stage: Stage) -> None:
    stage.store(a_job(group="mail:digest:user:7"), a_job(group="mail:digest:user:7"))
    stage.clock.advance(65)
    stage.store(a_job(group="a"), a_job(group="mail:digest:user:7"), a_job("other", group="b"))
    stage.clock.advance(5)

    lines = stage.says("queues", "groups", "default").splitlines()

    assert [line.split() for line in lines] == [
        ["GROUP", "TASK", "SIZE", "FIRST", "JOINED", "LAST", "JOINED"],
        ["mail:digest:user:7", "demo", "3", "1m", "10s", "ago", "5s", "ago"],
        ["a", "demo", "1", "5s", "ago", "5s", "ago"],
    ]


def test_groups_as_a_document(stage: Stage) -> None:
    stage.store(a_job(group="g")._replace(task=""))

    assert stage.document("queues", "groups", "default") == {
        "queue": "default",
        "groups": [
            {
                "group": "g",
                "task": None,
                "size": 1,
                "oldest": "2030-03-17T17:46:40.000Z",
                "newest": "2030-03-17T17:46:40.000Z",
            }
        ],
    }


def test_without_groups_it_says_so(stage: Stage) -> None:
    stage.store(a_job())

    assert stage.says("queues", "groups", "default") == "queue default has no groups\n"
    assert stage.refuses(2, "queues", "groups", "mail").startswith("there is no queue 'mail'")


def test_members_have_a_column_where_there_are_some(stage: Stage) -> None:
    stage.store(a_job(group="g"), a_job(group="g"))

    heading, line = stage.says("queues").splitlines()

    assert line.split()[heading.split().index("AGGREGATING")] == "2"
