"""The application's database on SQLite and PostgreSQL: migrations, batches, outages."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, insert, select, text

from tests.servers.postgres import USER, PostgresServer
from webapp.service.database import Database, postgres_database, sqlite_database
from webapp.service.demo_data import fill_with_demo_data
from webapp.service.failure import PermanentFailure, TransientFailure
from webapp.service.reminders import ReminderState
from webapp.service.report_records import ReportRecord
from webapp.service.schema import migrate
from webapp.service.sql_audit_logs import SqlAuditLogs
from webapp.service.sql_reminders import SqlReminders
from webapp.service.sql_report_records import SqlReportRecords
from webapp.service.sql_staff import SqlStaff
from webapp.service.sql_work_log import SqlWorkLog
from webapp.service.staff import Headcount
from webapp.service.tables import METADATA, audit_logs, users, weekly_reports

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
WEEK = "2026-W47"


@pytest.fixture(params=["sqlite", "postgres"])
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        database = sqlite_database(tmp_path / "app.db")
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        database = postgres_database(server.address, server.created(), USER, "", tls=False)
    async with database:
        yield database


@pytest.fixture
async def database(empty: Database) -> Database:
    await migrate(empty)
    return empty


async def add_users(database: Database, *numbers: int) -> None:
    rows: list[dict[str, Any]] = [
        {"id": n, "name": f"User {n}", "email": f"user{n}@example.com", "is_active": True}
        for n in numbers
    ]
    async with database.transaction() as connection:
        await connection.execute(insert(users), rows)


async def add_logs(database: Database, count: int, at: datetime) -> None:
    rows = [{"at": at, "actor": "a", "action": "b", "details": "c"}] * count
    async with database.transaction() as connection:
        await connection.execute(insert(audit_logs), rows)


async def test_migrations_make_the_tables_that_the_services_use(database: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        found: list[Any] = compare_metadata(MigrationContext.configure(connection), METADATA)
        return found

    async with database.transaction() as connection:
        assert await connection.run_sync(differences) == []


async def test_several_may_migrate_at_a_time(empty: Database) -> None:
    await asyncio.gather(*(migrate(empty) for _ in range(4)))

    assert await SqlStaff(empty).headcount(WEEK) == Headcount(0, 0, 0)


async def test_without_tables_the_message_says_how_to_make_them(empty: Database) -> None:
    with pytest.raises(TransientFailure, match=r"python -m webapp\.migrate"):
        await SqlStaff(empty).get(1)


async def test_a_database_that_does_not_exist_is_not_made_by_migrations(
    postgres_server: PostgresServer,
) -> None:
    async with postgres_database(postgres_server.address, "none", USER, "", tls=False) as missing:
        with pytest.raises(TransientFailure, match=r'database "none" does not exist$'):
            await SqlStaff(missing).get(1)


async def test_a_broken_transaction_leaves_nothing(database: Database) -> None:
    async def two_with_one_address() -> None:
        async with database.transaction() as connection:
            for number in (1, 2):
                await connection.execute(
                    insert(users).values(id=number, name="a", email="a@b", is_active=True)
                )

    with pytest.raises(PermanentFailure):
        await two_with_one_address()

    assert await SqlStaff(database).get(1) is None


async def test_of_many_at_a_time_one_begins_a_reminder(database: Database) -> None:
    await add_users(database, 1)
    reminders = SqlReminders(database)

    begun = await asyncio.gather(
        *(reminders.begin(1, WEEK, "id", NOW, again=False) for _ in range(8))
    )

    assert sorted(begun) == [False] * 7 + [True]
    assert await reminders.state(1, WEEK) is ReminderState.BEGUN


async def test_a_reminder_is_begun_again_until_it_is_confirmed(database: Database) -> None:
    await add_users(database, 1)
    reminders = SqlReminders(database)
    assert await reminders.begin(1, WEEK, "id", NOW, again=True)
    assert await reminders.begin(1, WEEK, "id", NOW, again=True)

    await reminders.confirm(1, WEEK, NOW)

    assert not await reminders.begin(1, WEEK, "id", NOW, again=True)
    await reminders.withdraw(1, WEEK)
    assert await reminders.state(1, WEEK) is ReminderState.SENT
    assert await reminders.state(1, "2026-W46") is ReminderState.NONE


async def test_who_is_to_be_reminded_comes_in_pages(database: Database) -> None:
    await add_users(database, *range(1, 8))
    async with database.transaction() as connection:
        await connection.execute(
            insert(weekly_reports).values(user_id=3, week=WEEK, hours=1, handed_in_at=NOW)
        )
    reminders = SqlReminders(database)
    for user_id in (5, 6):
        await reminders.begin(user_id, WEEK, "id", NOW, again=False)
    await reminders.confirm(5, WEEK, NOW)
    staff = SqlStaff(database)

    assert await staff.to_remind(WEEK, after=0, limit=3) == [1, 2, 4]
    assert await staff.to_remind(WEEK, after=4, limit=3) == [6, 7]
    assert await staff.headcount(WEEK) == Headcount(active=7, handed_in=1, reminded=1)
    assert await staff.has_handed_in(3, WEEK)
    assert not await staff.has_handed_in(3, "2026-W46")


async def test_cleanups_at_a_time_share_the_logs_and_count_right(database: Database) -> None:
    logs = SqlAuditLogs(database)
    await add_logs(database, 300, NOW - timedelta(days=91))
    await add_logs(database, 5, NOW)
    before = NOW - timedelta(days=90)

    async def clean(job_id: str) -> None:
        await logs.begin(job_id, before)
        while await logs.delete(job_id, before, limit=20):
            await asyncio.sleep(0)

    await asyncio.gather(clean("a"), clean("b"))

    done = [await logs.progress(job_id) for job_id in ("a", "b")]
    assert sum(progress.done for progress in done if progress) == 300
    async with database.transaction() as connection:
        assert await connection.scalar(select(func.count()).select_from(audit_logs)) == 5


async def test_the_oldest_logs_are_found_by_an_index(database: Database) -> None:
    async with database.transaction() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        plan = await connection.execute(
            text(f"{explain} SELECT id FROM audit_logs WHERE at < :at ORDER BY at LIMIT 10"),
            {"at": NOW},
        )
        lines = [" ".join(map(str, row)) for row in plan]

    assert any("ix_audit_logs_at" in line for line in lines), lines


async def test_one_months_report_is_one_row_and_comes_back_as_it_was(database: Database) -> None:
    records = SqlReportRecords(database)
    record = ReportRecord("2026-10", "a.csv", "a.pdf", 3, 8, Decimal("83.50"), NOW)

    await records.save(ReportRecord("2026-10", "a.csv", "a.pdf", 1, 8, Decimal(1), NOW))
    await records.save(record)
    await records.save(ReportRecord("2026-09", "b.csv", "b.pdf", 1, 8, Decimal(1), NOW))

    assert await records.get("2026-10") == record
    assert [found.month for found in await records.newest(10)] == ["2026-10", "2026-09"]
    assert await records.get("2026-08") is None


async def test_demo_data_is_the_same_however_often_it_is_filled_in(database: Database) -> None:
    for _ in range(2):
        await fill_with_demo_data(database, NOW, [WEEK])

    assert await SqlStaff(database).headcount(WEEK) == Headcount(10, 8, 0)
    lines = await SqlWorkLog(database).of_weeks([WEEK])
    assert {line.name for line in lines} <= {f"User {number}" for number in range(1, 13)}


async def test_a_database_that_is_down_is_a_passing_failure_and_comes_back() -> None:
    with PostgresServer() as server:
        name, address = server.created(), server.address
        async with postgres_database(address, name, USER, "", tls=False) as database:
            await migrate(database)
            staff = SqlStaff(database)
            assert await staff.get(1) is None

            server.stop()
            with pytest.raises(TransientFailure, match=f"PostgreSQL at {address}"):
                await staff.get(1)
            server.restart()

            assert await staff.get(1) is None
