"""`atode move`, between two memory brokers whose clock stands still."""

import json
from collections.abc import Sequence

import pytest
from typer.testing import CliRunner, Result

from atode.broker.memory import MemoryBroker
from atode.broker.protocol import Broker
from atode.cli._stores import durable
from atode.cli.main import app
from atode.clock import Clock
from atode.job import Job, State
from atode.outcome import Failed
from atode.presence import Presence, Running
from atode.testing.clock import FakeClock
from atode.testing.jobs import a_job, take
from atode.transfer import Moved, Stamp
from tests.unit.cli_stage import Stage, staged

OLD = "redis://app:secret@old:6379/0"
NEW = "redis://new:6379/0"


class Move:
    """Two stores, and what `atode move` says about them."""

    def __init__(self, old: Stage, new: Stage) -> None:
        self.old = old
        self.new = new

    def ask(self, *options: str, typed: str = "") -> Result:
        command = ["move", "--from", OLD, "--to", NEW, *options]
        return CliRunner().invoke(app, command, input=typed)

    def says(self, *options: str) -> str:
        result = self.ask("--yes", *options)
        assert result.exit_code == 0, result.output
        return result.stdout

    def here(self, state: State = State.PENDING, queue: str = "default") -> list[str]:
        found: Sequence[Job] = self.new.do(self.new.broker.find(queue, state, limit=1000))
        return [job.id for job in found]


class Clockwork(FakeClock):
    """Goes on by itself when somebody sleeps."""

    async def sleep_until(self, instant: float) -> None:
        self.advance(max(instant - self.now(), 0.0))


@pytest.fixture
def move(monkeypatch: pytest.MonkeyPatch) -> Move:
    clock = Clockwork()
    old, new = staged(monkeypatch, MemoryBroker(clock)), staged(monkeypatch, MemoryBroker(clock))

    def found(url: str, clock: Clock) -> Broker:
        return (old if "old" in url else new).broker.sibling()

    monkeypatch.setattr("atode.cli._stores.broker_for", found)
    monkeypatch.setattr("atode.cli._stores.SystemClock", lambda: clock)
    old.clock = new.clock = clock
    return Move(old, new)


def test_all_queues_move_and_stay_paused_in_the_old_store(move: Move) -> None:
    move.old.store(a_job(id="a"), a_job("mail", id="b"), a_job(id="c", due=1_900_000_060))

    text = move.says()

    assert (move.here(), move.here(queue="mail")) == (["a"], ["b"])
    assert move.here(State.SCHEDULED) == ["c"]
    assert "Paused and without jobs in the old store: default, mail." in text
    stats = move.old.do(move.old.broker.stats("mail"))
    assert stats is not None
    assert stats.paused
    assert stats.size == 0


def test_only_the_queues_that_are_named_move(move: Move) -> None:
    move.old.store(a_job(id="a"), a_job("mail", id="b"), a_job("report", id="c"))

    move.says("--queue", "mail", "--queue", "report")

    assert (move.here(), move.here(queue="mail"), move.here(queue="report")) == ([], ["b"], ["c"])
    assert len(move.old.do(take(move.old.broker))) == 1


def test_a_dry_run_moves_and_pauses_nothing(move: Move) -> None:
    move.old.store(a_job(id="a"))

    text = move.says("--dry-run")
    document = json.loads(move.says("--dry-run", "--json"))

    assert "QUEUE" in text
    assert document["queues"][0]["counts"]["pending"] == 1
    assert document["from"] == "redis://app:***@old:6379/0"
    assert len(move.old.do(take(move.old.broker))) == 1
    assert move.here() == []


def test_producers_are_to_be_switched_first_and_it_says_so(move: Move) -> None:
    move.old.store(a_job())

    assert "Let producers and workers use the new store first" in move.ask("--yes").stderr


def test_without_an_answer_nothing_moves(move: Move) -> None:
    move.old.store(a_job(id="a"))

    refused = move.ask()
    agreed = move.ask(typed="y\n")

    assert refused.exit_code == 1
    assert "Move 1 job of 1 queue from redis://app:***@old:6379/0 to" in refused.stderr
    assert "secret" not in refused.output
    assert agreed.exit_code == 0
    assert move.here() == ["a"]


def test_a_report_for_scripts_counts_by_state(move: Move) -> None:
    move.old.store(a_job(), a_job())
    move.old.end(Failed("x"))

    document = json.loads(move.says("--json"))

    assert document["complete"] is True
    [queue] = document["queues"]
    assert queue["moved"]["pending"] == queue["moved"]["retry"] == 1
    assert queue["left"] == queue["running"] == queue["more"] == 0


def test_a_job_whose_id_is_taken_stays_and_is_named(move: Move) -> None:
    move.old.store(a_job(id="same"), a_job(id="other"))
    move.new.store(a_job(id="same", payload=b'"new"'))

    results = [move.ask("--yes"), move.ask("--yes")]

    for result in results:
        assert result.exit_code == 1
        assert "job same stays: the new store has another job of this id" in result.stdout
    assert move.here() == ["same", "other"]
    old = move.old.do(move.old.broker.find("default", State.PENDING))
    assert [job.id for job in old] == ["same"]


def test_a_lock_that_another_job_has_is_left_to_it(move: Move) -> None:
    move.old.store(a_job(id="old", unique_for=60))
    move.new.store(a_job(id="new", unique_for=60))

    assert "job old came without its lock" in move.says()

    assert move.here() == ["new", "old"]


def test_running_jobs_are_waited_for_and_their_workers_named(move: Move) -> None:
    move.old.store(a_job(id="runs"))
    [claim] = move.old.do(
        move.old.broker.claim(["default"], limit=1, lease=3600, worker="host:7:w1")
    )
    running = Running(claim.job.id, "demo", "default", b"", move.old.clock.now(), 0.0)
    move.old.beat(
        Presence("host:7:w1", "host", 7, 1, {"default": 1}, False, "active", 0.0, [running], 1)
    )

    started = move.old.clock.now()
    result = move.ask("--yes", "--wait", "20")

    assert result.exit_code == 1
    assert move.old.clock.now() == started + 20
    assert "waiting for 1 running job\n" in result.stderr
    assert "queue default: worker host:7:w1 runs demo (runs)" in result.stderr
    assert "queue default: 1 job still running; move again" in result.stdout


def test_the_job_of_a_dead_worker_moves_too(move: Move) -> None:
    move.old.store(a_job(id="runs"))
    move.old.do(take(move.old.broker))
    move.old.clock.advance(3600)

    move.says()

    assert move.here() == ["runs"]


def test_a_queue_that_was_paused_is_paused_in_the_new_store(move: Move) -> None:
    move.old.store(a_job(), a_job("mail"))
    move.old.do(move.old.broker.pause("mail"))

    text = move.says()

    assert "queue mail is paused in the new store, too, as it was before" in text
    assert "queue default is paused" not in text
    assert len(move.new.do(take(move.new.broker))) == 1
    assert move.new.do(take(move.new.broker, "mail")) == []


def test_what_an_interrupted_move_has_paused_is_not_paused_in_the_new_store(move: Move) -> None:
    async def interrupted() -> None:
        await move.new.broker.start_receiving("default", mover="dead", given=None, paused=False)
        await move.old.broker.start_giving("default", mover="dead")
        jobs = await move.old.broker.give("default", State.PENDING, mover="dead")
        await move.new.broker.receive("default", jobs[:1], stamp=Stamp("dead", 1))

    move.old.store(a_job(id="a"), a_job(id="b"))
    move.old.do(interrupted())

    assert "is paused in the new store" not in move.says()

    assert [claim.job.id for claim in move.new.do(take(move.new.broker))] == ["a", "b"]


def test_who_resumes_a_queue_meanwhile_stops_the_move(
    move: Move, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = MemoryBroker.given

    async def resumed(
        broker: MemoryBroker, queue: str, ids: Sequence[str], *, stamp: Stamp
    ) -> Sequence[str]:
        here = await given(broker, queue, ids, stamp=stamp)
        await broker.resume(queue)
        return here

    monkeypatch.setattr(MemoryBroker, "given", resumed)
    move.old.store(*(a_job() for _ in range(600)))

    result = move.ask("--yes")

    assert result.exit_code == 1
    assert "queue 'default' was resumed while it is being moved" in result.stderr
    assert len(move.here()) == 500


def test_an_interrupted_move_says_how_to_go_on(move: Move, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupted(
        broker: MemoryBroker, queue: str, jobs: Sequence[Moved], *, stamp: Stamp
    ) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(MemoryBroker, "receive", interrupted)
    move.old.store(a_job())

    result = move.ask("--yes")

    assert result.exit_code == 130
    assert "interrupted after 0 jobs; the same command goes on" in result.stderr


@pytest.mark.parametrize(
    ("source", "target", "reason"),
    [
        ("memory://", "redis://a", "--from is 'memory://'"),
        ("redis://a", "memory://", "--to is 'memory://'"),
        ("redis://u:p@a:6379", "redis://a/0", "--from and --to name the same store"),
        ("sqlite:///x.db", "sqlite:///./x.db?synchronous=full", "name the same store"),
        ("sqlite:///x.db", "sqlite:///~/x.db", "name the same store"),
        ("postgresql://u:p@a:5432/d", "postgres://a/d?schema=public", "name the same store"),
        ("sqlite:///missing.db", "redis://a", "there is no database 'missing.db'"),
        ("ftp://a", "redis://a", "is of no known kind"),
    ],
)
def test_stores_that_cannot_be_meant_are_refused(
    source: str, target: str, reason: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    result = CliRunner().invoke(app, ["move", "--from", source, "--to", target, "--yes"])

    assert result.exit_code in {1, 2}
    assert reason in result.stderr
    assert "Traceback" not in result.output


def test_an_unknown_queue_is_refused_before_anything_moves(move: Move) -> None:
    move.old.store(a_job("mail"))

    result = move.ask("--yes", "--queue", "mial")

    assert result.exit_code == 2
    assert "there is no queue 'mial'; did you mean 'mail'?" in result.stderr


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("sqlite:///x.db", "sqlite:///x.db?synchronous=full"),
        ("sqlite:///x.db?synchronous=normal", "sqlite:///x.db?synchronous=normal"),
        (NEW, NEW),
    ],
)
def test_a_file_that_receives_jobs_keeps_them_through_a_power_cut(url: str, asked: str) -> None:
    assert durable(url) == asked
