"""`atode jobs` on a memory broker."""

from collections.abc import Sequence

import pytest

from atode.broker.memory import MemoryBroker
from atode.errors import BrokerRefused
from atode.job import Job, State
from atode.outcome import Failed, Succeeded
from atode.presence import Presence, Running
from atode.testing.jobs import a_job, take
from tests.unit.cli_stage import Stage, staged

BOOM = 'Traceback (most recent call last):\n  File "shop.py", line 3\nValueError: boom'


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return staged(monkeypatch)


def states(stage: Stage, queue: str = "default") -> dict[str, int]:
    found = stage.do(stage.broker.counts(queue))
    return {str(state): count for state, count in found.items() if count}


# Lists


def test_a_line_for_each_job_and_how_many_there_are(stage: Stage) -> None:
    stage.store(a_job(id="a"), a_job(id="b", payload='{"text":"あ"}'.encode()))

    lines = stage.says("jobs", "list", "default").splitlines()

    assert [line.split() for line in lines] == [
        ["ID", "TASK", "WHEN", "RETRIED", "LAST", "ERROR,", "OR", "PAYLOAD"],
        ["a", "demo", "-", "0/3", '{"n":', "1}"],
        ["b", "demo", "-", "0/3", '{"text":', '"あ"}'],
        ["2", "of", "2", "pending", "jobs,", "page", "1"],
    ]


def test_pages(stage: Stage) -> None:
    stage.store(*(a_job(id=f"job{number}") for number in range(5)))

    document = stage.document("jobs", "list", "default", "--page", "2", "--limit", "2")
    past_the_end = stage.says("jobs", "list", "default", "--page", "9")

    assert [job["id"] for job in document["jobs"]] == ["job2", "job3"]
    assert (document["page"], document["limit"], document["total"]) == (2, 2, 5)
    assert past_the_end == "0 of 5 pending jobs, page 9\n"


def test_a_filter_by_task_or_pattern(stage: Stage) -> None:
    tasks = ["mail:send", "report", "mail:check"] * 400
    stage.store(*(a_job(id=f"{at:04}")._replace(task=task) for at, task in enumerate(tasks)))

    one = stage.document("jobs", "list", "default", "--task", "report", "--limit", "3")
    some = stage.document(
        "jobs", "list", "default", "--task", "mail:*", "--page", "200", "--limit", "4"
    )

    assert [job["id"] for job in one["jobs"]] == ["0001", "0004", "0007"]
    assert [job["id"] for job in some["jobs"]] == ["1194", "1196", "1197", "1199"]


def test_a_filter_by_group(stage: Stage) -> None:
    stage.store(
        *(a_job(id=f"g{number}", group="g") for number in range(3)),
        a_job(id="h1", group="h"),
        a_job(id="p1"),
    )
    stage.do(stage.broker.archive("default", ["g1"]))

    document = stage.document("jobs", "list", "default", "--group", "g")
    archived = stage.document("jobs", "list", "default", "--group", "g", "--state", "archived")
    everything = stage.document("jobs", "list", "default", "--state", "aggregating")
    said = stage.says("jobs", "list", "default", "--group", "g", "--task", "de*", "--limit", "1")

    assert [job["id"] for job in document["jobs"]] == ["g0", "g2"]
    assert (document["state"], document["group"], document["total"]) == ("aggregating", "g", 3)
    assert [(job["id"], job["group"]) for job in archived["jobs"]] == [("g1", "g")]
    assert [job["id"] for job in everything["jobs"]] == ["g0", "g2", "h1"]
    assert said.splitlines()[-1] == "1 of task de* of group g among 3 aggregating jobs, page 1"


def test_a_member_shows_its_group(stage: Stage) -> None:
    stage.store(a_job(id="m", group="mail:digest:user:7"))

    shown = [line.split() for line in stage.says("jobs", "show", "default", "m").splitlines()]

    assert ["state", "aggregating"] in shown
    assert ["group", "mail:digest:user:7"] in shown


def test_members_are_run_archived_and_deleted(stage: Stage) -> None:
    stage.store(*(a_job(id=f"m{number}", group="g") for number in range(4)))

    assert stage.says("jobs", "run", "default", "m0") == "1 job made pending\n"
    assert stage.says("jobs", "archive", "default", "m1") == "1 job archived\n"
    said = stage.says("jobs", "delete", "default", "--all", "aggregating", "--yes")

    assert said == "2 jobs deleted\n"
    assert states(stage) == {"pending": 1, "archived": 1}


def test_when_a_job_is_due_and_why_it_failed(stage: Stage) -> None:
    stage.store(a_job(id="late", due=stage.clock.now() + 7500), a_job(id="sad"))
    stage.end(Failed(BOOM))

    scheduled = stage.says("jobs", "list", "default", "--state", "scheduled").splitlines()[1]
    retry = stage.says("jobs", "list", "default", "--state", "retry").splitlines()[1]

    assert "in 2h 5m" in scheduled
    assert "1/3  ValueError: boom" in retry


def test_long_texts_are_cut_to_the_terminal(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stage.store(a_job(id="a", payload=b'"' + b"x" * 500 + b'"'))

    lines = stage.says("jobs", "list", "default").splitlines()

    assert [len(line) <= 60 for line in lines] == [True] * 3
    assert lines[1].endswith("x…")


class OneBroken(MemoryBroker):
    """Fails wherever the third job is among those asked for."""

    async def find(
        self, queue: str, state: State, *, offset: int = 0, limit: int = 30
    ) -> Sequence[Job]:
        if offset <= 2 < offset + limit:
            raise BrokerRefused("job c has no hash")
        return await super().find(queue, state, offset=offset, limit=limit)


def test_one_broken_job_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = staged(monkeypatch, OneBroken())
    stage.store(*(a_job(id=letter) for letter in "abcd"))

    document = stage.document("jobs", "list", "default")
    shown = stage.says("jobs", "list", "default")

    assert [job["id"] for job in document["jobs"]] == ["a", "b", None, "d"]
    assert "job c has no hash" in shown


def test_a_store_that_shows_no_job_at_all_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = staged(monkeypatch, OneBroken())
    stage.store(*(a_job(id=letter) for letter in "abcd"))

    said = stage.refuses(1, "jobs", "list", "default", "--page", "3", "--limit", "1")

    assert said == "job c has no hash"


@pytest.mark.parametrize("payload", [b"\xff\x00", b"NaN", b"[" * 100_000, b'"\\ud800"', b"", b"x"])
def test_odd_payloads_are_shown(stage: Stage, payload: bytes) -> None:
    stage.store(a_job(id="odd", payload=payload)._replace(deadline=1e300))

    assert stage.document("jobs", "list", "default")["jobs"][0]["id"] == "odd"
    assert "odd" in stage.says("jobs", "list", "default")
    assert "odd" in stage.says("jobs", "show", "default", "odd")


def test_a_job_that_names_no_task_is_called_broken(stage: Stage) -> None:
    stage.store(a_job(id="a", payload=b"rubbish")._replace(task=""))

    assert "a   (broken)" in stage.says("jobs", "list", "default")


@pytest.mark.parametrize("number", [1e300, float("inf"), float("nan")])
def test_instants_and_durations_that_make_no_sense_are_shown(stage: Stage, number: float) -> None:
    odd = a_job(id="odd", due=number, retention=number)
    stage.store(odd._replace(timeout=number, deadline=number))

    assert "odd" in stage.says("jobs", "list", "default", "--state", "scheduled")
    assert "odd" in stage.says("jobs", "show", "default", "odd")
    assert stage.document("jobs", "show", "default", "odd")["deadline"] is None


# One job


def test_show_has_everything(stage: Stage) -> None:
    stage.store(a_job(id="sad", payload=b'{"n":1,"text":"\xe3\x81\x82"}', unique_for=60))
    stage.end(Failed(BOOM))
    stage.clock.advance(10)

    lines = stage.says("jobs", "show", "default", "sad").splitlines()

    assert "state         retry" in lines
    assert "due           2030-03-17 17:47:40+00:00 (in 50s)" in lines
    assert "last failed   2030-03-17 17:46:40+00:00 (10s ago)" in lines
    assert "retried       1 of 3" in lines
    assert "timeout       30s" in lines
    assert "header trace  abc" in lines
    assert lines[lines.index("payload") :] == [
        "payload",
        "  {",
        '    "n": 1,',
        '    "text": "あ"',
        "  }",
        "",
        "error",
        "  Traceback (most recent call last):",
        '    File "shop.py", line 3',
        "  ValueError: boom",
    ]


def test_the_document_of_a_job_has_stable_keys(stage: Stage) -> None:
    stage.store(a_job(id="done", retention=60, payload=b"\xff"))
    stage.end(Succeeded(b'"yes"'))

    assert stage.document("jobs", "show", "default", "done") == {
        "id": "done",
        "task": "demo",
        "queue": "default",
        "state": "completed",
        "due": None,
        "retried": 0,
        "max_retry": 3,
        "timeout_seconds": 30.0,
        "deadline": None,
        "retention_seconds": 60,
        "last_failed_at": None,
        "completed_at": "2030-03-17T17:46:40.000Z",
        "kept_until": "2030-03-17T17:47:40.000Z",
        "unique": None,
        "group": None,
        "headers": {"trace": "abc"},
        "error": None,
        "payload": None,
        "payload_base64": "/w==",
        "result": "yes",
        "result_base64": None,
        "worker": None,
    }


def test_an_active_job_shows_who_holds_it(stage: Stage) -> None:
    stage.store(a_job(id="busy"))
    stage.do(take(stage.broker))
    now = stage.clock.now()
    running = Running("busy", "demo", "default", b"{}", now - 5, now + 25)
    stage.beat(Presence("h:1:w", "h", 1, 2, {"default": 1}, False, "active", now, [running], 1))

    assert "held by       h:1:w 2030-03-17 17:46:35+00:00 (5s ago)" in stage.says(
        "jobs", "show", "default", "busy"
    )
    assert stage.document("jobs", "show", "default", "busy")["worker"] == "h:1:w"


def test_an_unknown_job_is_answered_with_a_close_one_or_another_queue(stage: Stage) -> None:
    stage.store(a_job(id="0195-aaaa"), a_job("mail", id="7777"))

    said = [
        stage.refuses(2, "jobs", "show", "default", job_id) for job_id in ("0195", "7777", "zzz")
    ]

    assert said == [
        "queue 'default' has no job '0195'; did you mean '0195-aaaa'?",
        "queue 'default' has no job '7777'; queue 'mail' has",
        "queue 'default' has no job 'zzz'",
    ]


@pytest.mark.parametrize("command", [["list"], ["run", "a"], ["show", "a"], ["delete", "a"]])
def test_an_unknown_queue_is_answered_with_close_names(stage: Stage, command: list[str]) -> None:
    stage.store(a_job("mail"))
    verb, *ids = command

    said = stage.refuses(2, "jobs", verb, "mial", *ids)

    assert said == "there is no queue 'mial'; did you mean 'mail'?"


# Operating


def test_jobs_are_moved_by_id(stage: Stage) -> None:
    stage.store(*(a_job(id=letter, due=stage.clock.now() + 60) for letter in "abc"))

    said = [
        stage.says("jobs", "run", "default", "a"),
        stage.says("jobs", "archive", "default", "b", "b"),
        stage.says("jobs", "delete", "default", "a", "c"),
    ]

    assert said == ["1 job made pending\n", "1 job archived\n", "2 jobs deleted\n"]
    assert states(stage) == {"archived": 1}


def test_what_is_left_alone_is_named(stage: Stage) -> None:
    stage.store(a_job(id="a"), a_job(id="b", due=stage.clock.now() + 60))

    result = stage.ask("jobs", "run", "default", "a", "b")

    assert result.exit_code == 1
    assert result.stdout == "1 job made pending\n"
    assert result.stderr == "atode: left alone: a is pending\n"


def test_jobs_are_cancelled_wherever_they_are(stage: Stage) -> None:
    stage.store(*(a_job(id=letter, retention=60) for letter in "xyab"))
    stage.end(Failed("no", permanent=True))
    [running] = stage.do(take(stage.broker, limit=1))

    result = stage.ask("jobs", "cancel", "default", "a", "x", "y")

    assert result.exit_code == 1
    assert result.stdout == "2 jobs cancelled\n"
    assert result.stderr == "atode: left alone: x is archived\n"
    assert stage.says("jobs", "cancel", "default", "--all", "pending", "-y") == "1 job cancelled\n"
    assert states(stage) == {"archived": 3, "active": 1}
    assert stage.document("jobs", "show", "default", "a")["error"] == "cancelled"
    assert stage.do(stage.broker.marked([running])) == [running]


def test_all_running_jobs_are_cancelled(stage: Stage) -> None:
    stage.store(*(a_job() for _ in range(3)))
    claims = stage.do(take(stage.broker, limit=2))

    said = stage.says("jobs", "cancel", "default", "--all", "active", "--yes")

    assert said == "2 jobs cancelled\n"
    assert stage.do(stage.broker.marked(claims)) == claims


def test_nothing_moves_if_one_id_is_unknown(stage: Stage) -> None:
    stage.store(a_job(id="a"))

    said = stage.refuses(2, "jobs", "delete", "default", "a", "zzz")

    assert said == "queue 'default' has no job 'zzz'"
    assert states(stage) == {"pending": 1}


def test_all_in_a_state_are_moved_after_a_question(stage: Stage) -> None:
    stage.store(*(a_job() for _ in range(3)))
    command = ("jobs", "delete", "default", "--all", "pending")

    asked = stage.ask(*command, typed="n\n")

    assert asked.exit_code == 1
    assert "Delete all 3 pending jobs of queue 'default'? [y/N]" in asked.stderr
    assert states(stage) == {"pending": 3}
    assert stage.says(*command, "--yes") == "3 jobs deleted\n"
    assert stage.says(*command) == "0 jobs deleted\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "default"], "atode jobs run takes either ids or --all STATE"),
        (["run", "default", "a", "--all", "retry"], "atode jobs run takes either ids or --all"),
        (["run", "default", "--all", "active"], "run is not for active jobs; it is for agg"),
        (["cancel", "default", "--all", "completed"], "cancel is not for completed jobs; it is"),
        (["delete", "default", "--all", "active"], "delete is not for active jobs; it is for agg"),
        (["edit", "default", "a", "--payload", "{"], "--payload is not JSON: Expecting property"),
        (["edit", "default", "a", "--payload", "NaN"], "--payload is not JSON: NaN is not JSON"),
    ],
)
def test_bad_input_is_refused_in_one_line(stage: Stage, arguments: list[str], message: str) -> None:
    stage.store(a_job(id="a"))

    assert stage.refuses(2, "jobs", *arguments).startswith(message)


def test_a_scheduled_job_gets_other_arguments(stage: Stage) -> None:
    stage.store(a_job(id="a", due=stage.clock.now() + 60), a_job(id="b"))

    said = stage.says("jobs", "edit", "default", "a", "--payload", '{"n": 2}')
    refused = stage.refuses(1, "jobs", "edit", "default", "b", "--payload", "{}")

    assert said == "job a has a new payload\n"
    assert stage.document("jobs", "show", "default", "a")["payload"] == {"n": 2}
    assert refused == "job 'b' is pending; only scheduled jobs can be edited"
