"""PostgreSQL's plans for every statement: none reads what it does not need."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from importlib.resources import files
from typing import Any, cast

import pytest

from atode.broker.postgres import _statements
from atode.broker.postgres.broker import PostgresBroker
from atode.loop import run
from atode.testing.jobs import a_job
from tests.integration.postgres.plan import SETTINGS, plan
from tests.integration.postgres.stage import Ask
from tests.servers.postgres import PostgresServer


def texts() -> Iterator[tuple[str, str]]:
    statements: Mapping[str, Any] = vars(_statements)
    for name, value in statements.items():
        if not name.isupper() or name.startswith("_"):
            continue
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, dict):
            by_state = cast("dict[str, str]", value)
            yield from ((f"{name}-{state}", text) for state, text in by_state.items())


TEXTS = dict(texts())

STATES = "ARRAY['pending', 'active', 'archived', 'completed', 'aggregating']"

# Tables with a row for each of many jobs.
BIG = {"jobs", "job_locks", "job_received"}

# What runs while jobs flow, and the index that keeps it fast however many jobs there are.
HOT = {
    "CLAIM": "jobs_pending",
    "READY": "jobs_pending",
    "NEXT_DUE": "jobs_pending",
    "PROMOTE": "jobs_pending",
    "STATS": "jobs_pending",
    "REAP": "jobs_processing",
    "EXTEND": "jobs_pkey",
    "HOLDING": "jobs_pkey",
    "OUTLAST": "jobs_pkey",
    "SETTLE_GONE": "jobs_pkey",
    "SETTLE_KEPT": "jobs_pkey",
    "SAME_BATCH": "jobs_pkey",
    "TAKEN": "jobs_pkey",
    "HOLDS": "jobs_processing",
    "CLEAR": "jobs_pending",
    "GET": "jobs_pkey",
    "CANCEL_NAMED": "jobs_pkey",
    "MARKED": "jobs_pkey",
    "MARKS": "jobs_cancelled",
    "RUNNING": "jobs_processing",
    "REPLACE_PAYLOAD": "jobs_pkey",
    "RUN_IDS": "jobs_pkey",
    "ARCHIVE_IDS": "jobs_pkey",
    "DELETE_IDS": "jobs_pkey",
    "GROUPS": "jobs_grouped",
    "MEMBERS": "jobs_grouped",
    "STILL_IN": "jobs_pkey",
    "STORED": "jobs_pkey",
    "PRUNE_COMPLETED": "jobs_completed",
    "PRUNE_OLD": "jobs_failed",
    "PRUNE_SURPLUS": "jobs_failed",
    "PRUNE_LOCKS": "job_locks_by_end",
    "HOLDERS": "job_locks_pkey",
    "UNLOCK": "job_locks_pkey",
    "FORGET_GIVEN": "job_received_pkey",
    "KNOWN": "job_received_pkey",
    "NOTE_GIVEN": "job_received_pkey",
    "FINISH_MOVE": "job_moves_pkey",
    "MOVE": "job_moves_pkey",
    "GIVE-pending": "jobs_pending",
    "GIVE-scheduled": "jobs_pending",
    "GIVE-retry": "jobs_pending",
    "GIVE-aggregating": "jobs_pending",
    "GIVE-archived": "jobs_failed",
    "GIVE-completed": "jobs_completed",
    "FIND-pending": "jobs_pending",
    "FIND-scheduled": "jobs_pending",
    "FIND-retry": "jobs_pending",
    "FIND-active": "jobs_processing",
    "FIND-archived": "jobs_failed",
    "FIND-completed": "jobs_completed",
    "FIND-aggregating": "jobs_pending",
}


@pytest.fixture(scope="module")
def full(postgres_server: PostgresServer) -> Ask:
    """psql on a database with 10,000 jobs in each of five states, as it stands after a while."""
    url = postgres_server.new_database()

    async def fill() -> None:
        broker = PostgresBroker(url)
        await broker.enqueue([a_job() for _ in range(50_000)])
        await broker.close()

    run(fill())
    ask = partial(postgres_server.do, database=url.rpartition("/")[2])
    ask(f"UPDATE jobs SET state = ({STATES})[line % 5 + 1]")
    ask("UPDATE jobs SET group_name = 'g' || line % 7 WHERE state = 'aggregating'")
    ask("VACUUM ANALYZE")
    return ask


@pytest.fixture(scope="module")
def empty(postgres_server: PostgresServer) -> Ask:
    """psql on a database whose tables PostgreSQL knows to be empty.

    Plans that are made there stay in use while the tables fill.
    """
    url = postgres_server.new_database()

    async def prepare() -> None:
        broker = PostgresBroker(url)
        await broker.open()
        await broker.close()

    run(prepare())
    ask = partial(postgres_server.do, database=url.rpartition("/")[2])
    ask("VACUUM ANALYZE")
    return ask


@pytest.fixture(params=["full", "empty"])
def ask(request: pytest.FixtureRequest) -> Ask:
    found: Ask = request.getfixturevalue(request.param)
    return found


def whole_tables(steps: list[Any]) -> list[str]:
    return [
        step["Relation Name"]
        for step in steps
        if step["Node Type"] == "Seq Scan" and step["Relation Name"] in BIG
    ]


@pytest.mark.parametrize("name", TEXTS)
def test_no_statement_reads_all_jobs_or_locks(ask: Ask, name: str) -> None:
    assert whole_tables(plan(ask, TEXTS[name], SETTINGS)) == []


@pytest.mark.parametrize(("name", "index"), HOT.items())
def test_a_statement_searches_its_index(ask: Ask, name: str, index: str) -> None:
    steps = plan(ask, TEXTS[name], SETTINGS)

    used = [step for step in steps if step.get("Index Name") == index]
    first = "id = ANY|id = \\$" if index == "jobs_pkey" else "queue ="
    assert [step for step in used if re.search(first, step.get("Index Cond", ""))], steps


@pytest.mark.parametrize(
    "name", ["CLAIM", "REAP", "PROMOTE", "PRUNE_COMPLETED", "PRUNE_OLD", "PRUNE_SURPLUS"]
)
def test_jobs_are_taken_in_the_order_of_the_index(ask: Ask, name: str) -> None:
    steps = plan(ask, TEXTS[name], SETTINGS)

    sorted_ones = [step for step in steps if step["Node Type"] == "Sort"]
    # Promotion merges two short lists.
    assert len(sorted_ones) == (1 if name == "PROMOTE" else 0)


@pytest.mark.parametrize("status", ["pending", "processing", "failed"])
def test_operators_statements_use_the_index_of_their_status(full: Ask, status: str) -> None:
    ask = full
    ask("UPDATE jobs SET state = 'completed'")
    ask("VACUUM ANALYZE jobs")
    statement = f"SELECT type, COUNT(*) FROM jobs WHERE status = '{status}' GROUP BY type"

    used = [step.get("Index Name") for step in plan(ask, statement, {})]

    assert f"jobs_{status}" in used


def test_every_statement_file_is_used() -> None:
    stored = {
        file.name
        for file in (files("atode.broker.postgres") / "sql").iterdir()
        if not file.name.startswith("_")
    }
    named = {re.sub("-.*|_ids$|_new$", "", name.lower()) for name in TEXTS}

    assert stored == {f"{name}.sql" for name in named}
