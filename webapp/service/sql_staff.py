"""The users in the database."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select

from webapp.service.database import Database
from webapp.service.staff import Headcount, User
from webapp.service.tables import reminders, users, weekly_reports


class SqlStaff:
    """Tables `users`, `weekly_reports` and `reminders`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, user_id: int) -> User | None:
        async with self._database.transaction() as connection:
            found = await connection.execute(select(users).where(users.c.id == user_id))
            row = found.mappings().one_or_none()
        return User(**row) if row else None

    async def has_handed_in(self, user_id: int, week: str) -> bool:
        wanted = select(weekly_reports.c.id).where(
            weekly_reports.c.week == week, weekly_reports.c.user_id == user_id
        )
        async with self._database.transaction() as connection:
            return await connection.scalar(wanted) is not None

    async def headcount(self, week: str) -> Headcount:
        missing = ~_has_handed_in(week)
        active = select(func.count()).select_from(users).where(users.c.is_active)
        async with self._database.transaction() as connection:
            total = await connection.scalar(active) or 0
            handed_in = await connection.scalar(active.where(_has_handed_in(week))) or 0
            reminded = await connection.scalar(active.where(missing, _is_reminded(week))) or 0
        return Headcount(total, handed_in, reminded)

    async def to_remind(self, week: str, *, after: int, limit: int) -> Sequence[int]:
        wanted = (
            select(users.c.id)
            .where(users.c.is_active, users.c.id > after)
            .where(~_has_handed_in(week), ~_is_reminded(week))
            .order_by(users.c.id)
            .limit(limit)
        )
        async with self._database.transaction() as connection:
            return list(await connection.scalars(wanted))


def _has_handed_in(week: str) -> ColumnElement[bool]:
    return (
        select(weekly_reports.c.id)
        .where(weekly_reports.c.week == week, weekly_reports.c.user_id == users.c.id)
        .exists()
    )


def _is_reminded(week: str) -> ColumnElement[bool]:
    return (
        select(reminders.c.user_id)
        .where(reminders.c.week == week, reminders.c.user_id == users.c.id)
        .where(reminders.c.sent_at.is_not(None))
        .exists()
    )
