"""The application's database as a test fills it and looks at it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import Table, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from webapp.service.database import Database
from webapp.service.schema import migrate
from webapp.service.tables import audit_logs, users, weekly_reports

T = TypeVar("T")


class Office:
    """People of the test, with their reports and logs."""

    def __init__(self, connect: Callable[[], Database]) -> None:
        self._connect = connect

    def migrate(self) -> None:
        self._do(migrate)

    def add_users(self, numbers: Iterable[int], *, is_active: bool = True) -> None:
        rows = [
            {
                "id": number,
                "name": f"User {number}",
                "email": f"user{number}@example.com",
                "is_active": is_active,
            }
            for number in numbers
        ]
        self._write(users, rows)

    def hand_in(self, week: str, numbers: Iterable[int], hours: str = "40") -> None:
        now = datetime.now(UTC)
        rows = [
            {"user_id": number, "week": week, "hours": Decimal(hours), "handed_in_at": now}
            for number in numbers
        ]
        self._write(weekly_reports, rows)

    def add_logs(self, count: int, *, days_old: float) -> None:
        at = datetime.now(UTC) - timedelta(days=days_old)
        rows = [
            {"at": at, "actor": "somebody", "action": "something", "details": str(number)}
            for number in range(count)
        ]
        self._write(audit_logs, rows)

    def count(self, table: Table) -> int:
        async def count(connection: AsyncConnection) -> int:
            return await connection.scalar(select(func.count()).select_from(table)) or 0

        return self._in_transaction(count)

    def rows(self, table: Table) -> list[dict[str, Any]]:
        async def rows(connection: AsyncConnection) -> list[dict[str, Any]]:
            found = await connection.execute(select(table))
            return [dict(row) for row in found.mappings()]

        return self._in_transaction(rows)

    def _write(self, table: Table, rows: list[dict[str, Any]]) -> None:
        async def write(connection: AsyncConnection) -> None:
            await connection.execute(insert(table), rows)

        if rows:
            self._in_transaction(write)

    def _in_transaction(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async def with_database(database: Database) -> T:
            async with database.transaction() as connection:
                return await work(connection)

        return self._do(with_database)

    def _do(self, work: Callable[[Database], Awaitable[T]]) -> T:
        async def do() -> T:
            async with self._connect() as database:
                return await work(database)

        return asyncio.run(do())
