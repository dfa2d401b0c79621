"""What `examine` says about real servers in trouble, and what `mend` makes of it."""

from collections.abc import Iterator, Sequence

import pytest
from typer.testing import CliRunner

from atode.broker.postgres import _health, _schema
from atode.broker.postgres._address import address_of
from atode.broker.postgres.broker import PostgresBroker
from atode.cli.main import app as cli
from atode.clock import SystemClock
from atode.errors import BrokerUnavailable
from atode.finding import Finding, Severity
from atode.presence import Presence
from atode.testing.clock import FakeClock
from atode.testing.jobs import a_job, ids
from tests.integration.postgres.connections import connect
from tests.integration.postgres.stage import Ask, until_told
from tests.servers.pgbouncer import PgBouncer
from tests.servers.postgres import PostgresServer
from tests.servers.redis import free_port

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

TEST_SERVER = {"fsync"}
"""What is wrong with the servers of tests, on purpose."""


@pytest.fixture
def postgres_url(new_postgres_url: str) -> str:
    return new_postgres_url


@pytest.fixture(scope="module")
def poor_server() -> Iterator[PostgresServer]:
    """A server with bad settings."""
    settings = ("autovacuum=off", "max_connections=12", "max_prepared_transactions=2")
    options = [part for setting in settings for part in ("-c", setting)]
    with PostgresServer(*options) as server:
        yield server


async def findings(broker: PostgresBroker) -> Sequence[Finding]:
    return [each for each in await broker.examine() if each.code not in TEST_SERVER]


async def only(broker: PostgresBroker) -> Finding:
    [finding] = await findings(broker)
    return finding


async def examined(url: str) -> dict[str, Finding]:
    broker = PostgresBroker(url)
    found = {each.code: each for each in await findings(broker)}
    await broker.close()
    return found


async def serve(broker: PostgresBroker, started_at: float, lifetime: float = 60) -> None:
    presence = Presence("h:1:w", "h", 1, 9, {"default": 1}, False, "active", started_at)
    await broker.beat(presence, lifetime=lifetime)


# The server


async def test_a_database_that_is_served_is_well(broker: PostgresBroker) -> None:
    await broker.enqueue([a_job()])
    await serve(broker, SystemClock().now())

    assert await findings(broker) == []


async def test_a_server_that_does_not_wait_for_its_disk(broker: PostgresBroker) -> None:
    [finding] = [each for each in await broker.examine() if each.code == "fsync"]

    assert finding.severity is ERROR


async def test_commits_that_do_not_wait_for_the_disk(
    broker: PostgresBroker, postgres_url: str, ask: Ask
) -> None:
    database = postgres_url.rpartition("/")[2]
    ask(f"ALTER DATABASE {database} SET synchronous_commit = off")

    finding = await only(broker)

    assert (finding.severity, finding.code) == (WARNING, "synchronous-commit")


async def test_a_server_without_autovacuum(poor_server: PostgresServer) -> None:
    found = await examined(poor_server.new_database())

    assert found["autovacuum"].severity is ERROR
    assert "autovacuum = on" in found["autovacuum"].remedy


async def test_a_server_whose_connections_are_nearly_used_up(poor_server: PostgresServer) -> None:
    url = poor_server.new_database()
    assert "connections" not in await examined(url)
    others = [await connect(url) for _ in range(8)]

    found = await examined(url)
    for other in others:
        await other.close()

    assert "of its 9 connections are in use" in found["connections"].what


async def test_a_prepared_transaction_that_nobody_ends(
    poor_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_health, "LONG_TRANSACTION", 0.0)
    url = poor_server.new_database()
    database = url.rpartition("/")[2]
    poor_server.do("BEGIN; CREATE TABLE t (); PREPARE TRANSACTION 'lost'", database)

    found = await examined(url)
    poor_server.do("ROLLBACK PREPARED 'lost'", database)

    assert "prepared transaction 'lost' of postgres" in found["long-transaction"].what
    assert "long-transaction" not in await examined(url)


WELL = _health.Server(180_000, False, "on", "on", "on", "on", 97, 5, 0.0)


@pytest.mark.parametrize(
    ("code", "server"),
    [("version", WELL._replace(version=120_022)), ("standby", WELL._replace(is_standby=True))],
)
def test_servers_that_cannot_be_used(code: str, server: _health.Server) -> None:
    address = address_of("postgresql://h/d")

    [finding] = _health.server_findings(address, server, 0.0)

    assert list(_health.server_findings(address, WELL, 0.0)) == []
    assert (finding.severity, finding.code) == (ERROR, code)


async def test_a_machine_whose_clock_is_late(postgres_url: str) -> None:
    class LateClock(SystemClock):
        def now(self) -> float:
            return super().now() - 3600

    broker = PostgresBroker(postgres_url, LateClock())
    await broker.open()

    finding = await only(broker)
    await broker.close()

    assert (finding.severity, finding.code) == (ERROR, "clock")
    assert "3,600 s ahead of this machine's" in finding.what


async def test_a_server_that_is_not_there() -> None:
    broker = PostgresBroker(f"postgresql://me@127.0.0.1:{free_port()}/shop")

    with pytest.raises(BrokerUnavailable, match="cannot be reached"):
        await broker.examine()


async def test_a_pooler_through_which_nothing_is_told(
    postgres_server: PostgresServer, broker: PostgresBroker, postgres_url: str
) -> None:
    with PgBouncer(postgres_server) as pooler:
        url = pooler.url(postgres_url.rpartition("/")[2]) + "?statement_cache_size=0"
        deaf = await examined(url)
        known = await examined(f"{url}&listen=never")

    assert set(deaf) == {"listen"}
    assert deaf["listen"].severity is WARNING
    assert "?listen=never" in deaf["listen"].remedy
    assert known == {}


# The schema


async def test_an_examination_makes_no_schema(postgres_url: str, ask: Ask) -> None:
    found = await examined(f"{postgres_url}?schema=jobs_app")

    assert found.keys() == {"not-looked-at"}
    assert "atode migrate" in found["not-looked-at"].remedy
    assert ask("SELECT count(*) FROM pg_namespace WHERE nspname = 'jobs_app'") == "0"


async def test_a_schema_that_only_others_may_bring_up_to_date(postgres_url: str) -> None:
    found = await examined(f"{postgres_url}?migrate=never")

    assert found["schema"].severity is ERROR
    assert "have its owner run `atode migrate`" in found["schema"].remedy


async def test_a_schema_of_a_newer_version(broker: PostgresBroker, ask: Ask) -> None:
    ask("INSERT INTO job_migrations (version, name) VALUES (9999, 'later')")

    finding = await only(broker)

    assert (finding.severity, finding.code) == (INFO, "schema")
    assert f"version 9999, and this atode knows {_schema.NEWEST}" in finding.what


async def test_a_table_of_another_program(postgres_url: str, ask: Ask) -> None:
    ask("CREATE TABLE jobs (id int)")

    found = await examined(postgres_url)

    assert found["foreign"].severity is ERROR
    assert "?schema=" in found["foreign"].remedy


@pytest.mark.parametrize("rights", ["", "GRANT USAGE ON SCHEMA app TO {role}"])
async def test_a_role_that_lacks_rights(postgres_url: str, ask: Ask, rights: str) -> None:
    owner = PostgresBroker(f"{postgres_url}?schema=app")
    await owner.migrate()
    role = f"clerk_{postgres_url.rpartition('/')[2]}"
    ask(f"CREATE ROLE {role} LOGIN;" + rights.format(role=role))
    url = postgres_url.replace("postgres@", f"{role}@") + "?schema=app&migrate=never"

    lacking = (await examined(url))["rights"]
    ask(lacking.remedy.removeprefix("as the owner: "))
    found = await examined(url)
    await owner.close()

    assert lacking.severity is ERROR
    assert f"role {role} lacks rights" in lacking.what
    assert found.keys() <= {"not-looked-at"}
    assert "rights" not in found


async def test_who_may_not_see_how_old_a_transaction_is_does_not_call_it_old(
    postgres_url: str, ask: Ask
) -> None:
    role = f"seer_{postgres_url.rpartition('/')[2]}"
    ask(f"CREATE ROLE {role} LOGIN")
    reader = await connect(postgres_url)
    await reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM pg_class")

    found = await examined(postgres_url.replace("postgres@", f"{role}@"))
    await reader.close()

    assert "long-transaction" not in found


async def test_an_index_that_was_not_finished(broker: PostgresBroker, ask: Ask) -> None:
    await broker.enqueue([a_job(), a_job()])
    await serve(broker, SystemClock().now())
    with pytest.raises(AssertionError, match="could not create unique index"):
        ask("CREATE UNIQUE INDEX CONCURRENTLY half ON jobs (queue)")

    finding = await only(broker)

    assert (finding.severity, finding.code) == (ERROR, "invalid-index")
    assert 'REINDEX INDEX CONCURRENTLY "public".half' in finding.remedy


async def test_an_index_that_is_mostly_air(
    broker: PostgresBroker, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_health, "HUGE_INDEX", 200_000)
    await broker.enqueue([a_job() for _ in range(10_000)])
    ask("DELETE FROM jobs")
    ask("VACUUM jobs")

    found = {each.subject: each for each in await findings(broker)}

    assert found["index public.jobs_pending"].code == "index-bloat"
    ask(found["index public.jobs_pending"].remedy)
    assert "index public.jobs_pending" not in {each.subject for each in await findings(broker)}


async def test_dead_rows_that_pile_up_behind_an_old_transaction(
    broker: PostgresBroker, postgres_url: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_health, "MANY_DEAD", 1000)
    monkeypatch.setattr(_health, "LONG_TRANSACTION", 0.0)
    ask("ALTER TABLE jobs SET (autovacuum_enabled = off)")
    await broker.enqueue([a_job() for _ in range(2000)])
    reader = await connect(postgres_url, server_settings={"application_name": "report"})
    await reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM jobs")
    ask("DELETE FROM jobs")
    # Statistics come a little later.
    await until_told(
        ask, "SELECT n_dead_tup > 1000 FROM pg_stat_user_tables WHERE relname = 'jobs'"
    )

    found = {each.code: each for each in await findings(broker)}
    await reader.execute("ROLLBACK")
    await reader.close()
    done = await broker.mend(list(found.values()))
    after = await findings(broker)

    assert found.keys() == {"autovacuum", "dead-rows", "long-transaction"}
    assert "(report, idle in transaction)" in found["long-transaction"].what
    assert [(each.code, each.subject) for each in done] == [("dead-rows", "table public.jobs")]
    assert {each.code for each in after} == {"autovacuum"}


# Workers and jobs


async def test_workers_that_are_gone_are_forgotten(postgres_url: str, ask: Ask) -> None:
    clock = FakeClock()
    broker = PostgresBroker(postgres_url, clock)
    await serve(broker, clock.now())
    clock.advance(200)

    finding = await only(broker)
    [done] = await broker.mend([finding])

    assert (finding.severity, finding.code) == (INFO, "dead-worker")
    assert done.what == "workers forgotten: 1"
    assert ask("SELECT count(*) FROM job_workers") == "0"
    assert await findings(broker) == []
    await broker.close()


async def test_a_lease_that_was_given_by_a_wrong_clock_is_ended(postgres_url: str) -> None:
    clock = FakeClock()
    ahead = PostgresBroker(postgres_url, FakeClock(clock.now() + 30 * 86_400))
    await ahead.enqueue([a_job(id="j1")])
    await ahead.claim(["default"], limit=1, lease=30, worker="h:1:gone")
    broker = PostgresBroker(postgres_url, clock)
    await serve(broker, clock.now())

    finding = await only(broker)
    [done] = await broker.mend([finding])

    assert (finding.severity, finding.code, finding.fixable) == (ERROR, "endless-lease", True)
    assert done.what.endswith("recovers the jobs: 1")
    assert ids(await broker.reap(["default"], limit=9, lease=9, worker="w2")) == ["j1"]
    await ahead.close()
    await broker.close()


async def test_a_worker_whose_clock_is_wrong(broker: PostgresBroker) -> None:
    await serve(broker, SystemClock().now() + 60)

    finding = await only(broker)

    assert (finding.severity, finding.code) == (WARNING, "clock")
    assert "s in the future" in finding.what


async def test_locks_of_jobs_that_are_gone(broker: PostgresBroker, ask: Ask) -> None:
    await broker.enqueue([a_job(unique_for=600)])
    ask("DELETE FROM jobs")

    finding = await only(broker)

    assert (finding.severity, finding.code) == (WARNING, "orphaned-lock")
    assert ": 1; the first is" in finding.what


def test_the_command_says_what_is_wrong_and_what_to_do(postgres_url: str) -> None:
    done = CliRunner().invoke(cli, ["doctor", "--url", postgres_url])

    assert done.exit_code == 1
    assert "fsync is off" in done.output
    assert "atode migrate" in done.output
