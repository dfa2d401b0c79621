"""The tables of the application.

The migrations make them; a test holds both to the same shape.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """A moment. SQLite has no time zones, so it is stored in UTC there."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo:
            return value
        return value.replace(tzinfo=UTC)


users = Table(
    "users",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("email", String(320), nullable=False, unique=True),
    Column("is_active", Boolean, nullable=False),
)

weekly_reports = Table(
    "weekly_reports",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("week", String(8), nullable=False),  # ISO 8601: 2026-W46
    Column("hours", Numeric(5, 2), nullable=False),
    Column("handed_in_at", Instant, nullable=False),
    UniqueConstraint("week", "user_id"),
    Index(None, "user_id"),
)

# One row for each person and week that was mailed, or is about to be.
reminders = Table(
    "reminders",
    METADATA,
    Column("week", String(8), primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id"), primary_key=True),
    Column("message_id", String(200), nullable=False),
    Column("begun_at", Instant, nullable=False),
    Column("sent_at", Instant),  # none: whether the server took it is not known
)

reports = Table(
    "reports",
    METADATA,
    Column("month", String(7), primary_key=True),  # 2026-10
    Column("csv_key", String(200), nullable=False),
    Column("pdf_key", String(200), nullable=False),
    Column("handed_in", Integer, nullable=False),
    Column("expected", Integer, nullable=False),
    Column("hours", Numeric(10, 2), nullable=False),
    Column("generated_at", Instant, nullable=False),
)

audit_logs = Table(
    "audit_logs",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("actor", String(200), nullable=False),
    Column("action", String(200), nullable=False),
    Column("details", Text, nullable=False),
)

# How far a cleanup has come, written together with what it has done.
cleanups = Table(
    "cleanups",
    METADATA,
    Column("job_id", String(200), primary_key=True),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("updated_at", Instant, nullable=False, index=True),
)
