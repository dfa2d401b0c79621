"""The record of reminders in the database."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select, update

from webapp.service.database import Database, insert
from webapp.service.reminders import ReminderState
from webapp.service.tables import reminders


class SqlReminders:
    """Table `reminders`: its key lets each person be mailed once a week."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def state(self, user_id: int, week: str) -> ReminderState:
        async with self._database.transaction() as connection:
            found = await connection.execute(select(reminders.c.sent_at).where(_is(user_id, week)))
            row = found.one_or_none()
        if row is None:
            return ReminderState.NONE
        return ReminderState.SENT if row.sent_at else ReminderState.BEGUN

    async def begin(
        self, user_id: int, week: str, message_id: str, at: datetime, *, again: bool
    ) -> bool:
        values = {"user_id": user_id, "week": week, "message_id": message_id, "begun_at": at}
        async with self._database.transaction() as connection:
            new = insert(connection, reminders).values(values)
            added = await connection.execute(new.on_conflict_do_nothing())
            if added.rowcount or not again:
                return bool(added.rowcount)
            taken = await connection.execute(
                update(reminders)
                .where(_is(user_id, week), reminders.c.sent_at.is_(None))
                .values(begun_at=at)
            )
            return bool(taken.rowcount)

    async def confirm(self, user_id: int, week: str, at: datetime) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(update(reminders).where(_is(user_id, week)).values(sent_at=at))

    async def withdraw(self, user_id: int, week: str) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                delete(reminders).where(_is(user_id, week), reminders.c.sent_at.is_(None))
            )


def _is(user_id: int, week: str) -> ColumnElement[bool]:
    return and_(reminders.c.user_id == user_id, reminders.c.week == week)
