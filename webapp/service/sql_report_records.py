"""The record of monthly reports in the database."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import select

from webapp.service.database import Database, insert
from webapp.service.report_records import ReportRecord
from webapp.service.tables import reports


class SqlReportRecords:
    """Table `reports`: its key lets each month have one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, record: ReportRecord) -> None:
        values = asdict(record)
        others = {name: value for name, value in values.items() if name != "month"}
        async with self._database.transaction() as connection:
            new = insert(connection, reports).values(values)
            await connection.execute(
                new.on_conflict_do_update(index_elements=["month"], set_=others)
            )

    async def get(self, month: str) -> ReportRecord | None:
        async with self._database.transaction() as connection:
            found = await connection.execute(select(reports).where(reports.c.month == month))
            row = found.mappings().one_or_none()
        return ReportRecord(**row) if row else None

    async def newest(self, limit: int) -> Sequence[ReportRecord]:
        wanted = select(reports).order_by(reports.c.month.desc()).limit(limit)
        async with self._database.transaction() as connection:
            found = await connection.execute(wanted)
            return [ReportRecord(**row) for row in found.mappings()]
