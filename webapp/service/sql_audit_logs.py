"""Audit logs in the database."""

from datetime import UTC, datetime

from sqlalchemy import delete, func, select, update

from webapp.service.audit_logs import Progress
from webapp.service.database import Database, insert
from webapp.service.tables import audit_logs, cleanups


class SqlAuditLogs:
    """Table `audit_logs`, and how far cleanups have come in `cleanups`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, job_id: str, before: datetime) -> Progress:
        count = select(func.count()).select_from(audit_logs).where(audit_logs.c.at < before)
        async with self._database.transaction() as connection:
            left = await connection.scalar(count) or 0
            new = insert(connection, cleanups).values(
                job_id=job_id, done=0, total=left, updated_at=datetime.now(UTC)
            )
            again = {"total": cleanups.c.done + left, "updated_at": datetime.now(UTC)}
            row = await connection.execute(
                new.on_conflict_do_update(index_elements=["job_id"], set_=again).returning(
                    cleanups.c.done, cleanups.c.total
                )
            )
            return Progress(*row.one())

    async def delete(self, job_id: str, before: datetime, *, limit: int) -> int:
        oldest = (
            select(audit_logs.c.id)
            .where(audit_logs.c.at < before)
            .order_by(audit_logs.c.at)
            .limit(limit)
            # Two cleanups at a time share the work instead of waiting for each other.
            .with_for_update(skip_locked=True)
            # A plan may run a subquery in `IN` more than once, and take more than the limit.
            .cte("oldest")
        )
        chosen = audit_logs.c.id.in_(select(oldest.c.id))
        async with self._database.transaction() as connection:
            # Counted by ids: Python's driver of SQLite knows no number where a statement
            # begins with its CTE.
            ids = await connection.scalars(
                delete(audit_logs).where(chosen).returning(audit_logs.c.id)
            )
            gone = len(ids.all())
            # In the same transaction, so that the number is right whenever we are killed.
            await connection.execute(
                update(cleanups)
                .where(cleanups.c.job_id == job_id)
                .values(done=cleanups.c.done + gone, updated_at=datetime.now(UTC))
            )
        return gone

    async def progress(self, job_id: str) -> Progress | None:
        wanted = select(cleanups.c.done, cleanups.c.total).where(cleanups.c.job_id == job_id)
        async with self._database.transaction() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        return Progress(*row) if row else None

    async def forget(self, before: datetime) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(delete(cleanups).where(cleanups.c.updated_at < before))
