"""The weekly reports in the database."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import and_, or_, select

from webapp.service.database import Database
from webapp.service.tables import users, weekly_reports
from webapp.service.work_log import Work


class SqlWorkLog:
    """Tables `users` and `weekly_reports`, in one query: one moment of both."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_weeks(self, weeks: Sequence[str]) -> Sequence[Work]:
        reports = weekly_reports.c
        mine = and_(reports.user_id == users.c.id, reports.week.in_(weeks))
        wanted = (
            select(users.c.id, users.c.name, reports.week, reports.hours)
            .select_from(users.outerjoin(weekly_reports, mine))
            .where(or_(users.c.is_active, reports.week.is_not(None)))
            .order_by(users.c.id, reports.week)
        )
        async with self._database.transaction() as connection:
            rows = await connection.execute(wanted)
        return [Work(row.id, row.name, row.week, row.hours or Decimal(0)) for row in rows]
