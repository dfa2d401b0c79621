"""What a move does in PostgreSQL, and how it gets along with whoever is at the same jobs."""

import pytest
from typer.testing import CliRunner

from atode.broker.postgres.broker import PostgresBroker
from atode.cli.main import app
from atode.errors import BrokerRefused
from atode.job import State
from atode.loop import run
from atode.testing.clock import FakeClock
from atode.testing.jobs import a_job, ids
from atode.transfer import Moved, Stamp
from tests.integration.postgres.stage import Ask, under_way, waiting

CLAIM = "UPDATE jobs SET state = 'active', worker = 'w', ticket = 7 WHERE name = 'claimed'"


@pytest.fixture
def broker(timed: PostgresBroker) -> PostgresBroker:
    return timed


async def test_what_a_worker_is_about_to_claim_is_not_given(
    broker: PostgresBroker, postgres_url: str, ask: Ask
) -> None:
    await broker.enqueue([a_job(id="claimed"), a_job(id="waits")])
    await broker.start_giving("default", mover="m")

    async with under_way(postgres_url, CLAIM) as claim:
        giving = await waiting(broker.give("default", State.PENDING, mover="m"), ask)
        await claim.commit()

        assert [moved.job.id for moved in await giving] == ["waits"]


async def test_a_job_is_deleted_or_named_and_nothing_in_between(
    broker: PostgresBroker, postgres_url: str, ask: Ask
) -> None:
    await broker.enqueue([a_job(id="claimed"), a_job(id="waits")])
    await broker.start_giving("default", mover="m")
    both = ["claimed", "waits"]

    async with under_way(postgres_url, CLAIM) as claim:
        giving = await waiting(broker.given("default", both, stamp=Stamp("m", 1)), ask)
        await claim.commit()
        assert list(await giving) == ["claimed"]

    assert ask("SELECT name, status FROM jobs") == "claimed|processing"


async def test_a_claim_that_comes_to_nothing_keeps_no_job_back(
    broker: PostgresBroker, postgres_url: str, ask: Ask
) -> None:
    await broker.enqueue([a_job(id="claimed")])
    await broker.start_giving("default", mover="m")

    async with under_way(postgres_url, CLAIM) as claim:
        giving = await waiting(broker.given("default", ["claimed"], stamp=Stamp("m", 1)), ask)
        await claim.rollback()
        assert list(await giving) == []

    assert ask("SELECT count(*) FROM jobs") == "0"


async def test_a_mover_waits_for_the_turn_of_the_one_before_and_then_refuses_the_next_of_his(
    broker: PostgresBroker, postgres_url: str, ask: Ask
) -> None:
    await broker.start_receiving("default", mover="first", given=None, paused=False)
    turn = "SELECT FROM job_moves FOR NO KEY UPDATE"

    async with under_way(postgres_url, turn) as other:
        starting = await waiting(
            broker.start_receiving("default", mover="second", given=None, paused=False), ask
        )
        await other.commit()
        await starting

    with pytest.raises(BrokerRefused, match="another process has begun"):
        await broker.receive("default", [Moved(a_job())], stamp=Stamp("first", 2))


async def test_what_a_turn_could_not_end_has_not_begun(
    broker: PostgresBroker, clock: FakeClock, ask: Ask
) -> None:
    await broker.start_receiving("default", mover="m", given=None, paused=False)
    ask("ALTER TABLE job_received ADD CONSTRAINT full_up CHECK (number < 1)")
    jobs = [Moved(a_job(id="one", unique_for=60), lock_left=60)]

    with pytest.raises(BrokerRefused):
        await broker.receive("default", jobs, stamp=Stamp("m", 1))

    assert ask("SELECT count(*) FROM jobs") == ask("SELECT count(*) FROM job_locks") == "0"
    ask("ALTER TABLE job_received DROP CONSTRAINT full_up")
    await broker.receive("default", jobs, stamp=Stamp("m", 1))
    assert ids(await broker.find("default", State.PENDING)) == ["one"]


async def test_operators_see_of_a_job_from_elsewhere_what_they_see_of_others(
    broker: PostgresBroker, clock: FakeClock, ask: Ask
) -> None:
    now = clock.now()
    done = a_job(id="done", retention=600)._replace(state=State.COMPLETED, completed_at=now - 9)
    dead = a_job(id="dead", max_retry=1)._replace(
        state=State.ARCHIVED, retried=1, error="boom", last_failed_at=now - 5
    )
    called_off = a_job(id="called-off")._replace(
        state=State.ARCHIVED, error="cancelled", last_failed_at=now - 5
    )
    late = a_job(id="late")._replace(due=now - 30)
    await broker.start_receiving("default", mover="m", given=None, paused=False)

    await broker.receive(
        "default",
        [Moved(job, since=now - 5) for job in (done, dead, called_off, late)],
        stamp=Stamp("m", 1),
    )

    seen = ask("SELECT name, status, attempts, payload->>'n' FROM jobs ORDER BY line").split("\n")
    assert seen == [
        "done|completed|1|1",
        "dead|failed|2|1",
        "called-off|failed|0|1",
        "late|pending|0|1",
    ]
    assert ask("SELECT count(*) FROM jobs WHERE started_at > completed_at") == "0"
    job = await broker.get("default", "late")
    assert job
    assert job.due == now - 30


async def test_nothing_of_a_move_remains_once_the_queue_goes_on(
    broker: PostgresBroker, ask: Ask
) -> None:
    await broker.start_receiving("default", mover="m", given=None, paused=False)
    await broker.receive("default", [Moved(a_job())], stamp=Stamp("m", 1))
    assert ask("SELECT mover, number FROM job_received") == "m|1"

    await broker.finish_moving("default", mover="m")

    assert ask("SELECT count(*) FROM job_received") == "0"
    assert ask("SELECT mover, given, receives, pauses FROM job_moves") == "||f|f"


def test_a_queue_moves_from_one_schema_of_a_database_to_another(
    postgres_url: str, ask: Ask
) -> None:
    async def fill() -> None:
        broker = PostgresBroker(postgres_url)
        await broker.enqueue([a_job() for _ in range(3)])
        await broker.close()

    run(fill())
    target = f"{postgres_url}?schema=other"

    result = CliRunner().invoke(app, ["move", "--from", postgres_url, "--to", target, "--yes"])

    assert result.exit_code == 0, result.output
    assert ask("SELECT count(*) FROM jobs") == "0"
    assert ask("SELECT count(*) FROM other.jobs") == "3"
