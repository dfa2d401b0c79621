"""Schemas come into being and are brought up to date, whoever is at it."""

import asyncio
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from atode.broker.postgres import _schema
from atode.broker.postgres.broker import PostgresBroker
from atode.cli.main import app as cli
from atode.errors import BrokerRefused
from atode.testing.jobs import a_job, ids, take
from tests.integration.postgres.stage import Ask
from tests.servers.redis import free_port

ROOT = Path(__file__).parents[3]
VERSIONS = "SELECT string_agg(version::text, ' ' ORDER BY version) FROM job_migrations"

MIGRATE = """
import asyncio, sys
from atode.broker.postgres.broker import PostgresBroker

async def main():
    broker = PostgresBroker(sys.argv[1])
    await broker.open()
    await broker.close()

sys.stdin.readline()
asyncio.run(main())
"""


@pytest.fixture
def postgres_url(new_postgres_url: str) -> str:
    return new_postgres_url


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library as it may be one day, with one more migration."""
    one_more = ("9999_colour", "ALTER TABLE {schema}.jobs ADD COLUMN colour text")
    monkeypatch.setattr(_schema, "MIGRATIONS", (*_schema.MIGRATIONS, one_more))
    monkeypatch.setattr(_schema, "NEWEST", _schema.NEWEST + 1)


async def test_an_empty_database_is_prepared_by_opening(postgres_url: str, ask: Ask) -> None:
    broker = PostgresBroker(postgres_url)
    await broker.open()
    await broker.open()

    assert ask("SELECT max(version) FROM job_migrations") == str(_schema.NEWEST)
    assert await broker.migrate() == []
    await broker.close()


async def test_a_schema_that_is_missing_is_made(postgres_url: str, ask: Ask) -> None:
    broker = PostgresBroker(f"{postgres_url}?schema=jobs_app")

    applied = await broker.migrate()

    assert applied[0] == "0001_jobs"
    assert ask("SELECT count(*) FROM jobs_app.jobs") == "0"
    await broker.close()


async def test_several_apps_share_a_database_by_schemas(postgres_url: str, ask: Ask) -> None:
    one = PostgresBroker(f"{postgres_url}?schema=one")
    two = PostgresBroker(f"{postgres_url}?schema=Two-2")
    await one.enqueue([a_job(id="a")])
    await two.enqueue([a_job(id="b")])

    assert (ids(await take(one)), ids(await take(two))) == (["a"], ["b"])
    assert ask("SELECT to_regclass('public.jobs') IS NULL") == "t"
    assert ask('SELECT count(*) FROM "Two-2".jobs') == "1"
    await one.close()
    await two.close()


async def test_an_older_schema_is_brought_up_to_date_and_keeps_its_jobs(
    postgres_url: str, ask: Ask, request: pytest.FixtureRequest
) -> None:
    old = PostgresBroker(postgres_url)
    await old.enqueue([a_job(id="kept")])

    request.getfixturevalue("later")
    new = PostgresBroker(postgres_url)
    applied = await new.migrate()

    assert applied == ["9999_colour"]
    # The old program goes on beside the new one.
    await old.enqueue([a_job(id="from-old")])
    assert ids(await take(new)) == ["kept", "from-old"]
    await old.close()
    await new.close()


async def test_a_newer_schema_is_left_as_it_is(
    postgres_url: str, ask: Ask, later: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = PostgresBroker(postgres_url)
    await new.open()
    await new.close()
    monkeypatch.undo()

    old = PostgresBroker(postgres_url)
    await old.enqueue([a_job()])

    assert ask(VERSIONS).endswith(str(_schema.NEWEST + 1))
    await old.close()


async def test_a_migration_that_fails_leaves_nothing_behind(
    postgres_url: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = ("9999_broken", "CREATE TABLE {schema}.half (n int); SELECT 1/0")
    monkeypatch.setattr(_schema, "MIGRATIONS", (*_schema.MIGRATIONS, broken))
    monkeypatch.setattr(_schema, "NEWEST", _schema.NEWEST + 1)
    broker = PostgresBroker(postgres_url)

    with pytest.raises(BrokerRefused, match="division by zero"):
        await broker.open()

    assert ask("SELECT to_regclass('jobs') IS NULL AND to_regclass('half') IS NULL") == "t"
    await broker.close()


async def test_several_processes_may_migrate_at_once(postgres_url: str, ask: Ask) -> None:
    command = [sys.executable, "-c", MIGRATE, postgres_url]
    processes = [
        await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, cwd=ROOT)
        for _ in range(4)
    ]
    await asyncio.gather(*(process.communicate(b"go\n") for process in processes))

    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert ask(VERSIONS) == " ".join(str(n) for n in range(1, _schema.NEWEST + 1))


async def test_a_table_of_another_program_is_left_alone(postgres_url: str, ask: Ask) -> None:
    ask("CREATE TABLE jobs (id int)")
    broker = PostgresBroker(postgres_url)

    with pytest.raises(BrokerRefused, match=r"another program.*\?schema="):
        await broker.open()

    assert (
        ask("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'") == "1"
    )
    await broker.close()


async def test_a_role_without_rights_works_in_what_its_owner_has_prepared(
    postgres_url: str, ask: Ask
) -> None:
    owner = PostgresBroker(f"{postgres_url}?schema=app")
    role = f"clerk_{postgres_url.rpartition('/')[2]}"
    ask(f"CREATE ROLE {role} LOGIN")
    poor = PostgresBroker(
        postgres_url.replace("postgres@", f"{role}@") + "?schema=app&migrate=never"
    )

    with pytest.raises(BrokerRefused, match="atode migrate"):
        await poor.open()
    await owner.migrate()
    ask(
        f"GRANT USAGE ON SCHEMA app TO {role};"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA app TO {role};"
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA app TO {role}"
    )
    await poor.enqueue([a_job(id="poor")])

    assert ids(await take(poor)) == ["poor"]
    await owner.close()
    await poor.close()


async def test_what_a_role_may_not_do_is_said_with_the_way_out(postgres_url: str, ask: Ask) -> None:
    role = f"nobody_{postgres_url.rpartition('/')[2]}"
    ask(f"CREATE ROLE {role} LOGIN")
    broker = PostgresBroker(postgres_url.replace("postgres@", f"{role}@") + "?schema=app")

    with pytest.raises(BrokerRefused, match=r"permission denied.*migrate=never"):
        await broker.open()
    await broker.close()


def test_the_command_migrates_and_says_what_it_did(postgres_url: str, ask: Ask) -> None:
    first = CliRunner().invoke(cli, ["migrate", "--url", postgres_url])
    second = CliRunner().invoke(cli, ["migrate", "--url", postgres_url])

    assert (first.exit_code, first.output.splitlines()[0]) == (0, "applied 0001_jobs")
    assert (second.exit_code, second.output) == (0, "nothing to do\n")
    assert ask("SELECT max(version) FROM job_migrations") == str(_schema.NEWEST)


def test_the_command_says_why_it_cannot_migrate() -> None:
    nobody = f"postgresql://me:secret@127.0.0.1:{free_port()}/shop"
    done = CliRunner().invoke(cli, ["migrate", "--url", nobody])
    wrong = CliRunner().invoke(cli, ["migrate", "--url", "postgresql://h/d?schema=a.b"])

    assert (done.exit_code, wrong.exit_code) == (1, 2)
    assert "cannot be reached" in done.output
    assert "secret" not in done.output
    assert "schema is 'a.b'" in wrong.output


def test_the_command_has_nothing_to_do_on_other_stores() -> None:
    done = CliRunner().invoke(cli, ["migrate", "--url", "memory://"])

    assert (done.exit_code, done.output) == (0, "nothing to do\n")
